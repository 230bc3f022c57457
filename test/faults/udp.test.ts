import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { settle, VirtualClock } from '../helpers/virtual-clock';
import { startUdpFaultProxy, type UdpFaultProxy } from './udp';

describe('faults: UDP proxy', () => {
  const clock = new VirtualClock();
  let echo: Socket;
  let client: Socket;
  let proxy: UdpFaultProxy;
  let heard: string[];
  let wake: () => void = () => {};
  const ask = (text: string): void => client.send(text, proxy.port, proxy.host);
  const hears = async (count: number): Promise<void> => {
    while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve));
  };

  beforeEach(async () => {
    echo = createSocket('udp4');
    echo.on('message', (bytes, from) => echo.send(bytes.toString().toUpperCase(), from.port, from.address));
    echo.bind(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await startUdpFaultProxy({ target: { host: '127.0.0.1', port: echo.address().port }, clock });
    heard = [];
    client = createSocket('udp4');
    client.on('message', (bytes) => {
      heard.push(bytes.toString('latin1'));
      wake();
    });
  });
  afterEach(async () => {
    client.close();
    echo.close();
    await proxy.close();
  });

  it('is transparent in fair weather', async () => {
    ask('hello');
    await hears(1);
    assert.deepEqual(heard, ['HELLO']);
    assert.equal(proxy.connections, 1);
  });

  it('loses every datagram in a black hole', async () => {
    await proxy.set({ kind: 'blackHole' });
    ask('lost');
    for (let turn = 0; turn < 20; turn += 1) await settle();
    await proxy.clear();
    ask('found');
    await hears(1);
    assert.deepEqual(heard, ['FOUND']);
  });

  it('cuts, doubles and replaces answers', async () => {
    await proxy.set({ kind: 'cut', afterBytes: 2 });
    ask('hello');
    await hears(1);
    await proxy.set({ kind: 'duplicated' });
    ask('twice');
    await hears(3);
    await proxy.set({ kind: 'garbage', seed: 3 });
    ask('hello');
    await hears(4);
    assert.deepEqual(heard.slice(0, 3), ['HE', 'TWICE', 'TWICE']);
    assert.equal(heard[3]?.length, 5);
    assert.notEqual(heard[3], 'HELLO');
  });

  it('waits on the injected clock when slow', async () => {
    await proxy.set({ kind: 'slow', delayMs: 70 });
    ask('hello');
    while (clock.pending === 0) await settle();
    assert.deepEqual(heard, []);
    await clock.advance(70);
    await hears(1);
  });

  it('refuses, and answers on the same port again', async () => {
    await proxy.set({ kind: 'refused' });
    await new Promise((sent) => client.send('lost', proxy.port, proxy.host, sent));
    await proxy.clear();
    ask('found');
    await hears(1);
    assert.equal(heard.at(-1), 'FOUND');
  });
});
