import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { failureOf } from '../../../test/helpers/failure-of';
import { BROKER, entry, OPTIONS, RabbitBed, until } from '../../../test/helpers/rabbit-bed';
import { VirtualClock } from '../../../test/helpers/virtual-clock';
import { startFaultProxy } from '../../../test/faults';
import { cancelled, Scope, type Failure } from '../../core';
import { classifyRabbit, pingRabbit } from './index';

/** A listener that says `words` to everyone and then nothing. */
async function listener(words: string): Promise<{ port: number; sockets: Socket[]; close: () => void }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    socket.write(words);
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, sockets, close };
}

describe('the connection to RabbitMQ', () => {
  const bed = new RabbitBed();
  /** Listeners and proxies of the running test, also of one that fails. */
  const ends: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    try {
      await bed.dispose();
    } finally {
      for (const end of ends.splice(0)) await end();
    }
  });
  const faultProxy = async (): Promise<Awaited<ReturnType<typeof startFaultProxy>>> => {
    const proxy = await startFaultProxy({ target: BROKER });
    ends.push(() => proxy.close());
    return proxy;
  };
  const says = async (words: string): ReturnType<typeof listener> => {
    const peer = await listener(words);
    ends.push(peer.close);
    return peer;
  };

  it('says what is wrong with the login and the address', async () => {
    const login = await failureOf(bed.store({ password: 'wrong-Secret' }));
    assert.deepEqual([login.kind, login.code], ['auth', 'AUTH_FAILED']);
    assert.doesNotMatch(JSON.stringify(login.toRecord()), /wrong-Secret/);
    const host = await failureOf(bed.store({ virtualHost: 'no such' }));
    assert.deepEqual([host.kind, host.code], ['config', 'BAD_CONFIG']);
    assert.equal((await failureOf(bed.store({ port: 1 }))).code, 'CONNECTION_REFUSED');
    assert.equal((await failureOf(bed.store({ prefix: 'a.b' }))).code, 'BAD_CONFIG');
    const tls = await failureOf(bed.store({ tls: {} }));
    assert.deepEqual([tls.kind, tls.code], ['config', 'TLS_FAILED']);
    const web = await says('HTTP/1.1 400 Bad Request\r\n\r\n');
    assert.equal((await failureOf(bed.store({ port: web.port }))).code, 'BAD_RESPONSE');
  });

  it('ends a handshake that takes too long, and one whose scope ends', async () => {
    const silent = await says('');
    const clock = new VirtualClock();
    const slow = failureOf(bed.store({ port: silent.port, clock, openTimeoutMs: 5_000 }));
    await until(async () => silent.sockets[0]);
    await clock.advance(5_000);
    assert.equal((await slow).code, 'CONNECTION_TIMEOUT');
    const scope = new Scope();
    const stopped = failureOf(bed.store({ port: silent.port, clock, scope }));
    await until(async () => silent.sockets[1]);
    scope.abort(cancelled());
    assert.equal((await stopped).kind, 'cancelled');
    await until(async () =>
      silent.sockets.every((socket) => socket.readableEnded || socket.destroyed) ? true : undefined,
    );
    assert.deepEqual([clock.pending, scope.listenerCount], [0, 0]);
  });

  it('gives a record out again whose acknowledgement was lost with the link, and says once that it was lost', async () => {
    const proxy = await faultProxy();
    const lost: Failure[] = [];
    const tell = (failure: Failure): void => void lost.push(failure);
    const store = await bed.store({ host: proxy.host, port: proxy.port, lost: tell });
    const queue = await store.open('cut', OPTIONS);
    await queue.put(entry('a'));
    const [leased] = await queue.lease({ max: 1, perKey: 1, visibilityMs: 30_000 });
    assert.ok(leased);
    await proxy.set({ kind: 'blackHole' });
    const waiting = [failureOf(queue.acknowledge(leased.token)), failureOf(queue.put(entry('b')))];
    await proxy.set({ kind: 'reset' });
    for (const failure of await Promise.all(waiting)) assert.equal(failure.kind, 'disconnected');
    assert.deepEqual([lost.length, lost[0]?.kind], [1, 'disconnected']);
    await queue.close();
    await store.close();

    const again = await (await bed.store()).open('cut', OPTIONS);
    const back = await until(async () => (await again.lease({ max: 1, perKey: 1, visibilityMs: 30_000 }))[0]);
    assert.deepEqual([back.entry.id, back.delivery], ['a', 2]);
  });

  it('gives a broker up that answers nothing', async () => {
    const proxy = await faultProxy();
    const clock = new VirtualClock();
    const lost: Failure[] = [];
    const tell = (failure: Failure): void => void lost.push(failure);
    const store = await bed.store({ host: proxy.host, port: proxy.port, clock, lost: tell });
    await proxy.set({ kind: 'halfOpen' });
    const ping = failureOf(pingRabbit(store));
    await clock.advance(30_000);
    assert.deepEqual([(await ping).code, lost.length], ['CONNECTION_TIMEOUT', 1]);
    await store.close();
    assert.equal(clock.pending, 0);
  });

  it('answers a ping, and after a close says that it is closed', async () => {
    const store = await bed.store();
    await pingRabbit(store);
    await store.close();
    assert.equal((await failureOf(pingRabbit(store))).code, 'NOT_CONNECTED');
  });

  it('names what it does not know as unclassified', () => {
    assert.equal(classifyRabbit(new Error('strange')).kind, 'unclassified');
    assert.equal(classifyRabbit(new Error('Heartbeat timeout')).kind, 'disconnected');
    assert.equal(classifyRabbit(new Error('message nacked')).code, 'QUEUE_FULL');
  });
});
