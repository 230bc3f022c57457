/** Database servers behind a proxy that fails on command: the process lives, and every message ends once. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { type Failure, isFailure, type Message } from '../../lib/core';
import type { RawConfig } from '../../lib/spec';
import { startFaultProxy, type Fault, type FaultProxy } from '../../test/faults';
import { Harness } from '../../test/helpers/harness';
import { adapter } from './adapter';
import { connector } from './connector';
import { settingsOf, type DatabaseName } from './databases.test';

const CANARY = 'canary-7f3a-secret';
const SERVERS = ['PostgreSQL', 'MariaDB'] as const;

interface Rig {
  readonly proxy: FaultProxy;
  readonly harness: Harness;
  /** One query through a node; the failure when it fails. */
  query(): Promise<Message[] | Failure>;
  /** The same through a node that repeats. */
  patient(): Promise<Message[]>;
  recorded(): string;
}

function withRig(
  name: DatabaseName,
  test: (rig: Rig) => Promise<void>,
  more: RawConfig = {},
  secrets?: RawConfig,
): () => Promise<void> {
  return async () => {
    const settings = await settingsOf(name);
    if (!settings) return;
    const { host, port } = settings.connection as { host: string; port: string };
    const proxy = await startFaultProxy({ target: { host, port: Number(port) } });
    const harness = new Harness({ directory: tmpdir(), random: () => 0 });
    const raw = {
      ...settings.connection,
      port: String(proxy.port),
      host: '127.0.0.1',
      acquireTimeout: '300ms',
      ...more,
    };
    const { connection, recorded } = harness.connection(
      connector,
      { ...raw, openTimeout: '2s' },
      secrets ?? settings.secrets,
    );
    const ask = { operation: 'query', sql: 'SELECT 1 AS one', timeout: '1s' };
    const node = harness.adapter(adapter, connection, { ...ask, retryStrategy: 'none' });
    const again = { retryStrategy: 'fixed', retryBase: '20ms', retryAttempts: 500 };
    const patient = harness.adapter(adapter, connection, { ...ask, ...again });
    try {
      await test({
        proxy,
        harness,
        patient: () => patient.send({ params: {} }),
        recorded: () => JSON.stringify([recorded.lines, recorded.statuses, recorded.failures, node.recorded]),
        query: () =>
          node.send({ params: {} }).catch((error: unknown) => {
            assert.ok(isFailure(error), String(error));
            return error;
          }),
      });
    } finally {
      await harness.close();
      await proxy.close();
    }
  };
}

const FAULTS: readonly Fault[] = [
  { kind: 'refused' },
  { kind: 'reset' },
  { kind: 'cut' },
  { kind: 'cut', how: 'reset', afterBytes: 1 },
  { kind: 'garbage', seed: 7 },
  { kind: 'garbage', seed: 8, bytes: 3 },
  { kind: 'blackHole' },
  { kind: 'halfOpen' },
  { kind: 'peerRestarted' },
];

for (const name of SERVERS) {
  describe(`sql when ${name} fails`, () => {
    for (const fault of FAULTS) {
      it(
        `ends each message once and recovers: ${JSON.stringify(fault)}`,
        withRig(name, async ({ proxy, query, patient }) => {
          assert.ok(Array.isArray(await query()));
          await proxy.set(fault);
          const outcome = await query();
          if (isFailure(outcome)) {
            assert.notEqual(outcome.kind, 'unclassified', `${outcome.message} ${String(outcome.cause)}`);
            assert.match(outcome.message, /\.$/);
          }
          await proxy.clear();
          // The link opens again by itself; its pauses are the framework's.
          const again = await patient();
          assert.deepEqual(again[0]?.payload, [{ one: 1 }]);
        }),
      );
    }

    it(
      'works over a connection that slices its answers',
      withRig(name, async ({ proxy, query }) => {
        await proxy.set({ kind: 'sliced' });
        const out = await query();
        assert.ok(Array.isArray(out));
      }),
    );

    it(
      'says that TLS is missing instead of going on without it',
      withRig(
        name,
        async ({ query }) => {
          const outcome = await query();
          assert.ok(isFailure(outcome));
          assert.equal(outcome.code, 'TLS_FAILED', outcome.message);
        },
        { encrypt: true },
      ),
    );

    it(
      'never shows the password when the login is refused',
      withRig(
        name,
        async ({ query, recorded }) => {
          const outcome = await query();
          assert.ok(isFailure(outcome));
          assert.equal(outcome.kind, 'auth', outcome.message);
          const all = [
            JSON.stringify(outcome.toRecord()),
            String(outcome.stack),
            String(outcome.cause),
            recorded(),
          ];
          for (const text of all) assert.ok(!text.includes(CANARY), text);
        },
        { username: 'nobody_of_that_name' },
        { password: CANARY },
      ),
    );

    it(
      'names a database that does not exist',
      withRig(
        name,
        async ({ query }) => {
          const outcome = await query();
          assert.ok(isFailure(outcome));
          assert.equal(outcome.kind, 'config', outcome.message);
          assert.match(outcome.message, /database name/);
        },
        { database: 'hf_nowhere' },
      ),
    );
  });
}

describe('sql when a server falls silent after the login', () => {
  it('cuts the connection that nobody has used yet', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      // AuthenticationOk and ReadyForQuery (PostgreSQL manual, "Message Formats"); then nothing more.
      socket.on('data', () => {});
      socket.once('data', () => socket.write(Buffer.from('520000000800000000' + '5a0000000549', 'hex')));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const harness = new Harness({ directory: tmpdir() });
    const address = {
      host: '127.0.0.1',
      port: String((server.address() as AddressInfo).port),
      database: 'x',
    };
    const settings = { client: 'postgres', ...address, encrypt: false, acquireTimeout: '200ms' };
    const { connection } = harness.connection(connector, { ...settings, user: 'someone' });
    try {
      const query = { operation: 'query', sql: 'SELECT 1', retryStrategy: 'none', timeout: '5s' };
      await assert.rejects(harness.adapter(adapter, connection, query).send({ params: {} }), isFailure);
      const [first] = sockets;
      assert.ok(first);
      if (!first.destroyed) await once(first, 'close');
    } finally {
      await harness.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });
});
