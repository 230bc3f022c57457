import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { cancelled, Scope, silentLog, systemClock, type Failure } from '../../core';
import { startFaultProxy } from '../../../test/faults';
import { makeAuthority } from '../../../test/faults/certificate';
import { failureOf } from '../../../test/helpers/failure-of';
import { startNatsServer, type NatsServer } from '../../../test/helpers/nats-server';
import { classifyNats } from './classify';
import type { NatsOptions } from './options';
import { openNatsStore, pingNats } from './store';

const USERS = 'authorization { users = [{ user: "gate", password: "s3cret-word" }] }';

/** What the client writes past the log. `print` gives the console back. */
function listenToConsole(): { print: () => Promise<void>; printed: unknown[] } {
  const printed: unknown[] = [];
  const shown: { log: (...args: unknown[]) => void } = console;
  const { log } = shown;
  shown.log = (...args: unknown[]) => void printed.push(...args);
  return {
    printed,
    print: async () => {
      shown.log = log;
    },
  };
}

describe('connection to NATS', () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  const serve = async (options?: Parameters<typeof startNatsServer>[0]): Promise<NatsServer> => {
    const server = await startNatsServer(options);
    ends.push(() => server.destroy());
    return server;
  };
  const optionsFor = (address: string, more: Partial<NatsOptions> = {}): NatsOptions => ({
    servers: [address],
    clock: systemClock,
    log: silentLog,
    name: 'test',
    lost: () => {},
    openTimeoutMs: 10_000,
    scope: new Scope(),
    replicas: 1,
    ...more,
  });
  const refusal = async (address: string, more?: Partial<NatsOptions>) => {
    const failure = await failureOf(openNatsStore(optionsFor(address, more)));
    assert.equal(failure.reached, false);
    assert.ok(!failure.message.includes('s3cret'), failure.message);
    return `${failure.kind} ${failure.code}`;
  };
  /** A server that speaks something else, or nothing. */
  const plain = async (greeting?: string): Promise<string> => {
    const sockets = new Set<{ destroy(): void }>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      if (greeting !== undefined) socket.write(greeting);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('names a port where nothing listens and a host that does not exist', async () => {
    const server = await serve();
    await server.kill();
    assert.equal(await refusal(server.address), 'disconnected CONNECTION_REFUSED');
    assert.equal(await refusal('no-such-host.invalid:4222'), 'disconnected HOST_NOT_FOUND');
  });

  it('names what does not speak NATS, and what says nothing', async () => {
    assert.equal(await refusal(await plain('SSH-2.0-OpenSSH\r\n')), 'disconnected BAD_RESPONSE');
    const silent = await plain();
    assert.equal(await refusal(silent, { openTimeoutMs: 300 }), 'disconnected CONNECTION_TIMEOUT');
  });

  it('ends a connection at once that brings garbage, tells everyone, and prints nothing', async () => {
    const { port } = await serve();
    const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port } });
    ends.push(() => proxy.close());
    const { print, printed } = listenToConsole();
    ends.push(print);
    const lost: Failure[] = [];
    const store = await openNatsStore(
      optionsFor(`${proxy.host}:${proxy.port}`, { lost: (failure) => void lost.push(failure) }),
    );
    await proxy.set({ kind: 'garbage', seed: 1 });
    const failures = await Promise.all([failureOf(pingNats(store)), failureOf(store.names())]);
    for (const { kind, code, message } of [...failures, ...lost]) {
      assert.deepEqual([kind, code], ['disconnected', 'BAD_RESPONSE']);
      assert.match(message, /not the NATS protocol/);
    }
    assert.equal(lost.length, 1);
    await store.session.nc.closed();
    assert.deepEqual([lost.length, printed], [1, []]);
    await store.close();
  });

  it('says what an error of its own was, which the client would only print', async () => {
    const { address } = await serve();
    const lost: Failure[] = [];
    const { print, printed } = listenToConsole();
    ends.push(print);
    const store = await openNatsStore(optionsFor(address, { lost: (failure) => void lost.push(failure) }));
    const { nc } = store.session;
    nc.subscribe('x', {
      callback: () => {
        throw new TypeError('a mistake');
      },
    });
    nc.publish('x');
    await nc.closed();
    assert.deepEqual([lost.length, lost[0]?.kind, printed], [1, 'unclassified', []]);
    assert.match(String(lost[0]?.cause), /a mistake/);
    await store.close();
  });

  it('names garbage in the first answer too', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('INFO {"max_payload":1048576,"proto":1,"headers":true,"version":"2.10.0"}\r\n');
      socket.on('data', (data) => {
        const text = data.toString('latin1');
        socket.write(text.startsWith('CONNECT') ? 'PONG\r\n' : '\x00\x01 no NATS\r\n');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(async () => {
      server.close();
      await once(server, 'close');
    });
    const { print, printed } = listenToConsole();
    ends.push(print);
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    assert.equal(await refusal(address), 'disconnected BAD_RESPONSE');
    assert.deepEqual(printed, []);
  });

  it('ends with its scope', async () => {
    const scope = new Scope();
    const opening = failureOf(openNatsStore(optionsFor(await plain(), { scope, openTimeoutMs: 500 })));
    scope.abort(cancelled());
    assert.equal((await opening).kind, 'cancelled');
    assert.equal(scope.listenerCount, 0);
  });

  it('does not call an orderly end a loss', async () => {
    const { address } = await serve();
    let losses = 0;
    const store = await openNatsStore(optionsFor(address, { lost: () => void (losses += 1) }));
    await store.close();
    await store.session.nc.closed();
    assert.equal(losses, 0);
    assert.equal((await failureOf(store.names())).code, 'NOT_CONNECTED');
  });

  it('logs in, and names a login that the server refuses', async () => {
    const { address } = await serve({ config: USERS });
    const store = await openNatsStore(
      optionsFor(address, { auth: { user: 'gate', password: 's3cret-word' } }),
    );
    await pingNats(store);
    await store.close();
    assert.equal(await refusal(address), 'auth AUTH_FAILED');
    assert.equal(await refusal(address, { auth: { user: 'gate', password: 's3cret' } }), 'auth AUTH_FAILED');
  });

  it('speaks TLS, checks the certificate, and never falls back', async () => {
    const authority = makeAuthority();
    const { address } = await serve({ tls: authority.issue(['127.0.0.1', 'localhost']) });
    const store = await openNatsStore(optionsFor(address, { tls: { ca: authority.cert } }));
    await pingNats(store);
    await store.close();
    assert.equal(await refusal(address, { tls: {} }), 'config TLS_FAILED');
    assert.equal(await refusal(address), 'config TLS_FAILED');
    assert.equal(await refusal(address, { tls: { ca: makeAuthority('other').cert } }), 'config TLS_FAILED');
    assert.equal(await refusal((await serve()).address, { tls: {} }), 'config TLS_FAILED');
  });

  it('names a user without the rights that queues need', async () => {
    const config =
      'authorization { users = [{ user: "gate", password: "x", permissions: { publish: ["none"], subscribe: [">"] } }] }';
    const { address } = await serve({ config });
    const auth = { user: 'gate', password: 'x' };
    assert.equal(await refusal(address, { auth, requestTimeoutMs: 500 }), 'auth AUTH_FAILED');
  });

  it('says that JetStream is off', async () => {
    const { address } = await serve({ withoutJetStream: true });
    assert.equal(await refusal(address), 'config BAD_CONFIG');
  });

  it('refuses a body that the server would not take, before sending it', async () => {
    const { address } = await serve();
    const store = await openNatsStore(optionsFor(address));
    const queue = await store.open('large', {
      owner: { node: '', name: '', type: '', flow: '' },
      ordered: false,
      maxRecords: 0,
      maxBytes: 0,
      maxAgeMs: 0,
      whenFull: 'reject',
      whenOld: 'drop',
      maxDeliveries: 0,
      duplicateWindowMs: 0,
    });
    const put = (bytes: number) => queue.put({ id: 'a', key: '', time: 0, body: Buffer.alloc(bytes) });
    assert.equal(await put(5_000_000), 'stored');
    const failure = await failureOf(put(8 * 1024 * 1024));
    assert.deepEqual([failure.kind, failure.code, failure.reached], ['rejected', 'NOT_STORABLE', false]);
    await store.close();
  });

  it('says which library to install', () => {
    const error = Object.assign(new Error("Cannot find package '@nats-io/kv' imported from x"), {
      code: 'ERR_MODULE_NOT_FOUND',
    });
    const failure = classifyNats(error);
    assert.deepEqual([failure.kind, failure.code], ['config', 'MISSING_LIBRARY']);
    assert.match(failure.message, /"@nats-io\/kv" is not installed/);
  });
});
