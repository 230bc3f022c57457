/** What each driver calls host, login and TLS. */
import type { TlsOptions } from '../../../lib/secrets/types';
import type { Target } from './drivers';

type Server = 'postgres' | 'mysql' | 'mssql';
const PORTS: Readonly<Record<Server, number>> = { postgres: 5432, mysql: 3306, mssql: 1433 };

export function serverSettings(target: Target, dialect: Server): object {
  const port = target.port || PORTS[dialect];
  const user = target.auth.username || target.user;
  const { host, database, tls, acquireMs } = target;
  const { password } = target.auth;
  switch (dialect) {
    case 'postgres':
      return {
        host,
        port,
        user,
        password,
        database,
        ssl: tls ? socketOptions(tls) : false,
        connectionTimeoutMillis: acquireMs,
        application_name: 'Holdfast',
        keepAlive: true,
      };
    case 'mysql':
      return {
        host,
        port,
        user,
        password,
        database,
        ...(tls ? { ssl: { ...socketOptions(tls), verifyIdentity: tls.rejectUnauthorized } } : {}),
        connectTimeout: acquireMs,
        charset: 'utf8mb4',
        // Exact text instead of doubles and local dates.
        supportBigNumbers: true,
        dateStrings: true,
        timezone: 'Z',
        maxPreparedStatements: 100,
      };
    case 'mssql':
      return {
        server: host,
        port,
        userName: user,
        password,
        database,
        connectionTimeout: acquireMs,
        // The node's own timeout ends a call.
        requestTimeout: 0,
        encrypt: tls !== undefined,
        options: {
          appName: 'Holdfast',
          useUTC: true,
          trustServerCertificate: tls ? !tls.rejectUnauthorized : true,
          ...(tls?.servername ? { serverName: tls.servername } : {}),
          ...(tls ? { cryptoCredentialsDetails: socketOptions(tls) } : {}),
        },
      };
  }
}

/** A copy: knex clones its settings deeply and must not hand out ours. */
function socketOptions(tls: TlsOptions): object {
  return { ...tls };
}
