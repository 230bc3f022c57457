import { bool, choice, duration, int, text } from '../../lib/spec';
import { defineConnector } from '../../lib/roles';
import { classify, codes } from './classify';
import type { DialectName } from './dialects/types';
import type { Session } from './engine/session';

const servers: Readonly<Record<string, readonly DialectName[]>> = { client: ['postgres', 'mysql', 'mssql'] };

const fields = {
  client: choice({
    label: 'Database',
    help: 'SQLite needs no server: it is a file on this machine. The others are reached over the network.',
    default: 'sqlite',
    options: { sqlite: 'SQLite', postgres: 'PostgreSQL', mysql: 'MySQL or MariaDB', mssql: 'SQL Server' },
  }),
  file: text({
    label: 'Database file',
    help: 'Made when it is missing. A relative path starts in the Node-RED user directory. Keep it on a local disk.',
    default: 'holdfast.sqlite',
    maxLength: 1000,
    showWhen: { client: ['sqlite'] },
  }),
  host: text({
    label: 'Host',
    help: 'The name or address of the database server.',
    default: 'localhost',
    maxLength: 255,
    showWhen: servers,
  }),
  port: int({
    label: 'Port',
    help: 'Empty means the usual one: 5432 for PostgreSQL, 3306 for MySQL, 1433 for SQL Server.',
    default: undefined,
    optional: true,
    min: 1,
    max: 65_535,
    showWhen: servers,
  }),
  database: text({
    label: 'Database name',
    help: 'The database on the server that holds the tables.',
    default: '',
    optional: true,
    maxLength: 128,
    showWhen: servers,
  }),
  user: text({
    label: 'Database user',
    help: 'Needed where the login uses a client certificate or no password. A user name with a password goes first.',
    default: '',
    optional: true,
    maxLength: 128,
    showWhen: { ...servers, authKind: ['none', 'certificate'] },
  }),
  encrypt: bool({
    label: 'Encrypt the connection',
    help: 'Uses TLS and checks the certificate of the server. Switch it off only on a network that you trust.',
    default: true,
    showWhen: servers,
  }),
  poolMax: int({
    label: 'Connections',
    help: 'At most this many connections are open at once. Further calls wait for a free one.',
    default: 10,
    min: 1,
    max: 200,
    showWhen: servers,
  }),
  acquireTimeout: duration({
    label: 'Acquire timeout',
    help: 'How long a call waits for a free connection, and a new connection for the server.',
    default: '10s',
    min: '100ms',
    max: '10m',
  }),
  busyTimeout: duration({
    label: 'Lock timeout',
    help: 'How long SQLite waits while another program has locked the file.',
    default: '5s',
    min: '0ms',
    max: '1m',
    showWhen: { client: ['sqlite'] },
  }),
} as const;

export const connector = defineConnector({
  type: 'holdfast-sql-connection',
  version: 1,
  label: 'sql connection',
  summary: 'A SQLite, PostgreSQL, MySQL, MariaDB or SQL Server database.',
  fields,
  codes,
  auth: ['none', 'basic', 'certificate'],
  tls: true,
  remoteWhen: servers,
  defaults: { concurrency: 32, queue: 10_000, pingEvery: '30s' },

  async open({ config, auth, tls, directory, scope, log, clock, lost }): Promise<Session> {
    const { openSession } = require('./engine/drivers') as typeof import('./engine/drivers');
    const session = await openSession({
      dialect: config.client,
      file: config.file,
      directory,
      host: config.host,
      port: config.port ?? 0,
      database: config.database,
      user: config.user,
      auth,
      tls: config.encrypt ? tls : undefined,
      max: config.poolMax,
      acquireMs: config.acquireTimeout,
      busyMs: config.busyTimeout,
      log,
      clock,
      lost,
    });
    if (scope.aborted) await session.close();
    scope.throwIfAborted();
    return session;
  },
  close: (session) => session.close(),
  async ping(session, { scope }) {
    await session.use(scope, (link) => link.run({ sql: 'SELECT 1', values: [] }));
  },
  classify,
  simulator: {
    load: async () => require('./simulator') as typeof import('./simulator'),
    // No server: the simulator is a seeded database file (docs/decisions/0004-sql-simulator.md).
    apply: (config, simulator) => ({
      ...config,
      client: 'sqlite',
      file: 'file' in simulator && typeof simulator.file === 'string' ? simulator.file : config.file,
    }),
  },
});
