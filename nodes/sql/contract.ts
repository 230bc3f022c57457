import { join } from 'node:path';
import type { Contract } from '../../test/contract/types';
import { sqlAddress } from '../../test/helpers/services';

const TABLE = 'holdfast_contract';
const server = sqlAddress('PostgreSQL');
const writing = {
  table: TABLE,
  createTable: true,
  columns: [
    { name: 'tag', type: 'text' },
    { name: 'value', type: 'number' },
  ],
};
const row = { payload: { tag: 'press/temperature', value: 78.5 } };

/** The faults of the network stand before PostgreSQL; SQLite has no socket and gets faults of its own. */
export const contract: Contract = {
  server: { service: 'PostgreSQL', peer: { host: server.host, port: server.port } },
  connection: ({ host, port }) => ({
    client: 'postgres',
    host,
    port,
    database: server.database,
    authKind: 'basic',
    username: server.user,
    encrypt: false,
    acquireTimeout: '300ms',
  }),
  credentials: { password: server.password },
  samples: {
    'holdfast-sql': [
      { name: 'query', config: { operation: 'query', sql: 'SELECT 1 AS one' } },
      { name: 'insert', config: { operation: 'insert', ...writing }, msg: row },
      { name: 'collect', config: { operation: 'insert', ...writing, collect: true }, msg: row },
    ],
  },
  without: {
    wrongTlsHost: 'TLS begins inside the protocol; tls.test.ts covers it.',
    authRefused: 'The server itself refuses a wrong password; servers.test.ts covers it.',
  },
  own: [
    {
      name: 'a locked SQLite file',
      sample: {
        name: 'insert',
        config: { operation: 'insert', ...writing, createTable: true },
        msg: row,
      },
      async prepare(directory) {
        const { DatabaseSync } = await import('node:sqlite');
        const file = join(directory, 'locked.sqlite');
        const other = new DatabaseSync(file);
        return {
          connection: { client: 'sqlite', file, busyTimeout: '50ms', authKind: 'none' },
          begin: () => Promise.resolve(other.exec('BEGIN EXCLUSIVE')),
          end: () => Promise.resolve(other.exec('ROLLBACK')),
          close: () => Promise.resolve(other.close()),
        };
      },
    },
  ],
  async cleanUp() {
    const { Client } = await import('pg');
    const client = new Client(server);
    await client.connect();
    await client.query(`DROP TABLE IF EXISTS ${TABLE}`);
    await client.end();
  },
};
