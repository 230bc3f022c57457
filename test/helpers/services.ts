/**
 * The services that some tests need beside the embedded servers. Where they are comes from the environment;
 * the defaults are what a plain Debian installation on the same machine offers.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface Service {
  readonly name: string;
  /** A connection URL, or the path of a program. */
  readonly at: string;
}
export type Probe = Service | { readonly name: string; readonly missing: string };

export interface SqlAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export type ServiceName = SqlService | BrokerService | 'Chromium' | 'npm registry';

/**
 * Whether tests that need a service should be defined. The test runner probes once and tells what is missing;
 * a single test file run by hand expects everything.
 */
export function isExpected(service: ServiceName): boolean {
  return !(process.env['HOLDFAST_UNREACHED'] ?? '').split(',').includes(service);
}

const URLS = {
  PostgreSQL: { variable: 'HOLDFAST_TEST_POSTGRES', url: 'postgres://postgres@127.0.0.1:5432/postgres' },
  MariaDB: { variable: 'HOLDFAST_TEST_MARIADB', url: 'mysql://root@127.0.0.1:3306/mysql' },
} as const;
export type SqlService = keyof typeof URLS;

/** Where tests look for a database server: the environment variable, else the default of a local server. */
export function sqlUrl(name: SqlService): string {
  const { variable, url } = URLS[name];
  return process.env[variable] ?? url;
}

export function sqlAddress(name: SqlService): SqlAddress {
  const url = new URL(sqlUrl(name));
  return {
    host: url.hostname,
    port: Number(url.port || (name === 'PostgreSQL' ? 5432 : 3306)),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
  };
}

/** Logs in and asks for one row: a listening port alone proves nothing. */
export async function probeSql(name: SqlService): Promise<Probe> {
  try {
    await (name === 'PostgreSQL' ? askPostgres() : askMariadb());
    return { name, at: sqlUrl(name) };
  } catch (error) {
    const why = error instanceof Error ? error.message || error.name : String(error);
    return { name, missing: `no login at ${hideLogin(sqlUrl(name))}: ${why} (set ${URLS[name].variable})` };
  }
}

const BROKERS = {
  NATS: { variable: 'HOLDFAST_TEST_NATS', url: 'nats://127.0.0.1:4222' },
  RabbitMQ: { variable: 'HOLDFAST_TEST_RABBITMQ', url: 'amqp://guest:guest@127.0.0.1:5672' },
} as const;
export type BrokerService = keyof typeof BROKERS;

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Where tests look for a broker: the environment variable, else the default of a local one. */
export function brokerUrl(name: BrokerService): string {
  const { variable, url } = BROKERS[name];
  return process.env[variable] ?? url;
}

export function brokerAddress(name: BrokerService): BrokerAddress {
  const url = new URL(brokerUrl(name));
  return {
    host: url.hostname,
    port: Number(url.port || (name === 'NATS' ? 4222 : 5672)),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
}

/** Logs in and asks a question: a listening port alone proves nothing. */
export async function probeBroker(name: BrokerService): Promise<Probe> {
  try {
    await (name === 'NATS' ? askNats() : askRabbit());
    return { name, at: hideLogin(brokerUrl(name)) };
  } catch (error) {
    const why = error instanceof Error ? error.message || error.name : String(error);
    const { variable } = BROKERS[name];
    return { name, missing: `no login at ${hideLogin(brokerUrl(name))}: ${why} (set ${variable})` };
  }
}

/** For a `before` hook: the address, or undefined when the server cannot be reached. */
export async function reachableSql(name: SqlService): Promise<SqlAddress | undefined> {
  return 'at' in (await probeSql(name)) ? sqlAddress(name) : undefined;
}

export function probeChromium(): Probe {
  const name = 'Chromium';
  const places = [process.env['HOLDFAST_TEST_CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser'];
  const at = places.find((place) => place !== undefined && existsSync(place));
  return at === undefined
    ? { name, missing: 'no /usr/bin/chromium (apt-get install chromium, or set HOLDFAST_TEST_CHROMIUM)' }
    : { name, at };
}

/** The package registry that npm is configured for; the install test gets the palette's dependencies there. */
export function probeRegistry(): Promise<Probe> {
  const name = 'npm registry';
  const args = [
    'view',
    'node-red',
    'version',
    '--prefer-online',
    '--fetch-retries=0',
    '--fetch-timeout=15000',
  ];
  return new Promise((resolve) => {
    execFile('npm', args, { timeout: 30_000 }, (error, stdout) => {
      resolve(error ? { name, missing: 'npm cannot look up a package' } : { name, at: stdout.trim() });
    });
  });
}

async function askPostgres(): Promise<void> {
  const { Client } = await import('pg');
  const client = new Client({ ...sqlAddress('PostgreSQL'), connectionTimeoutMillis: 3000 });
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end().catch(() => {});
  }
}

async function askMariadb(): Promise<void> {
  const { createConnection } = await import('mysql2/promise');
  const client = await createConnection({ ...sqlAddress('MariaDB'), connectTimeout: 3000 });
  await client.query('select 1').finally(() => client.end());
}

/** Queues need JetStream; a server without it is as good as none. */
async function askNats(): Promise<void> {
  const { connect } = await import('@nats-io/transport-node');
  const { jetstreamManager } = await import('@nats-io/jetstream');
  const { host, port, user, password } = brokerAddress('NATS');
  const login = user === '' ? {} : { user, pass: password };
  const client = await connect({ servers: `${host}:${port}`, timeout: 3000, reconnect: false, ...login });
  try {
    await (await jetstreamManager(client)).getAccountInfo();
  } finally {
    await client.close();
  }
}

async function askRabbit(): Promise<void> {
  const { connect } = await import('amqplib');
  const client = await connect(brokerUrl('RabbitMQ'), { timeout: 3000 });
  client.on('error', () => {});
  await client.close();
}

function hideLogin(address: string): string {
  const url = new URL(address);
  return `${url.protocol}//${url.host}${url.pathname}`;
}
