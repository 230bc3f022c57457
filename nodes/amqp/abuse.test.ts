/** A broker that breaks the protocol ends its session, and neither this process nor its memory. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { RawConfig } from '../../lib/spec';
import { Harness } from '../../test/helpers/harness';
import { adapter } from './adapter';
import { until } from './bed.test';
import { connector } from './connector';
import * as wire from './simulator-wire';
import { trigger } from './trigger';

const { frame, longString, method, shortString, tableBytes, u16, u32, u64, u8 } = wire;
const idOf = (classId: number, methodId: number): number => classId * 65_536 + methodId;
type Answer = (channel: number, args: wire.Reader) => Buffer | undefined;

const OPEN_OK = method(0, 10, 41, shortString(''));
/** What a broker answers that keeps to the protocol and does nothing. */
const HONEST: Readonly<Record<number, Answer>> = {
  [idOf(10, 11)]: () => method(0, 10, 30, u16(100), u32(131_072), u16(0)),
  [idOf(10, 40)]: () => OPEN_OK,
  [idOf(10, 50)]: () => method(0, 10, 51),
  [idOf(20, 10)]: (channel) => method(channel, 20, 11, longString('')),
  [idOf(20, 40)]: (channel) => method(channel, 20, 41),
  [idOf(40, 10)]: (channel) => method(channel, 40, 11),
  [idOf(50, 10)]: (channel) => method(channel, 50, 11, shortString('q'), u32(0), u32(0)),
  [idOf(60, 10)]: (channel) => method(channel, 60, 11),
  [idOf(60, 20)]: (channel) => method(channel, 60, 21, shortString('tag')),
  [idOf(85, 10)]: (channel) => method(channel, 85, 11),
};
const GREETING = method(0, 10, 10, u8(0), u8(9), tableBytes([]), longString('PLAIN'), longString('en_US'));

/** `odd` replaces answers; only the first connection is treated oddly where `once` is set. */
async function rogue(odd: Readonly<Record<number, Answer>>, greeting: Buffer | undefined = GREETING) {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    let rest: Buffer = Buffer.alloc(0);
    let greeted = false;
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    socket.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      if (!greeted) {
        greeted = true;
        rest = rest.subarray(8);
        if (greeting) socket.write(greeting);
      }
      const cut = wire.cutFrames(rest, 131_072);
      rest = cut?.rest ?? Buffer.alloc(0);
      for (const { type, channel, payload } of cut?.frames ?? []) {
        if (type !== wire.FRAME_METHOD) continue;
        const args = new wire.Reader(payload);
        const id = args.u32();
        const answer = (odd[id] ?? HONEST[id])?.(channel, args);
        if (answer) socket.write(answer);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    open,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        open.forEach((socket) => socket.destroy());
      }),
  };
}
type Rogue = Awaited<ReturnType<typeof rogue>>;

/** A delivery whose header announces `size` bytes. */
function delivery(channel: number, tag: number, size: number): Buffer {
  const start = method(
    channel,
    60,
    60,
    shortString('tag'),
    u64(tag),
    u8(0),
    shortString(''),
    shortString('k'),
  );
  return Buffer.concat([start, frame(2, channel, Buffer.concat([u16(60), u16(0), u64(size), u16(0)]))]);
}

describe('amqp: a broker that breaks the protocol', () => {
  let harness: Harness;
  let broker: Rogue | undefined;
  beforeEach(() => {
    harness = new Harness({ random: () => 0 });
  });
  afterEach(async () => {
    await harness.close();
    await broker?.close();
    broker = undefined;
  });

  const link = ({ port }: Rogue, raw: RawConfig = {}) =>
    harness.connection(
      connector,
      {
        host: '127.0.0.1',
        port,
        authKind: 'basic',
        username: 'guest',
        openTimeout: '500ms',
        reopenMax: '1s',
        ...raw,
      },
      { password: 'guest' },
    );
  const publish = ({ connection }: ReturnType<typeof link>) =>
    harness
      .adapter(adapter, connection, { routingKey: 'k', retryStrategy: 'none', timeout: '5s' })
      .send({ payload: 'x' });

  const AFTER_OPEN: Readonly<Record<string, Buffer>> = {
    'bytes that are no frame': Buffer.alloc(64, 0x55),
    'a frame beyond the limit': Buffer.from([1, 0, 1, 0x7f, 0xff, 0xff, 0xff, 0]),
    'a frame without its end': Buffer.concat([
      frame(1, 1, Buffer.alloc(8)).subarray(0, 15),
      Buffer.from([0]),
    ]),
    'a frame on an unknown channel': method(77, 60, 80, u64(1), u8(0)),
    'a method that does not exist': method(0, 99, 99),
    'a method cut short': method(0, 10, 50, u8(1)),
    'its own goodbye': method(0, 10, 50, u16(320), shortString('CONNECTION_FORCED - away'), u16(0), u16(0)),
  };
  for (const [what, bytes] of Object.entries(AFTER_OPEN)) {
    it(`sends ${what} in one piece with its greeting`, async () => {
      broker = await rogue({ [idOf(10, 40)]: () => Buffer.concat([OPEN_OK, bytes]) });
      await assert.rejects(publish(link(broker)), { kind: 'disconnected' });
    });

    it(`sends ${what} later`, async () => {
      broker = await rogue({ [idOf(85, 10)]: () => bytes });
      await assert.rejects(publish(link(broker)), { kind: 'disconnected' });
    });
  }

  it('never answers: the opening ends in time, and its socket with it', async () => {
    broker = await rogue({}, Buffer.alloc(0));
    const used = link(broker);
    await assert.rejects(publish(used), /did not answer within 500 ms/);
    await until(() => broker?.open.size === 0);
  });

  it('greets with something else than AMQP', async () => {
    broker = await rogue({}, Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await assert.rejects(publish(link(broker)), /not AMQP 0-9-1/);
  });

  for (const [what, tag, multiple] of [
    ['a message that was never sent', 7, 0],
    ['message 0', 0, 1],
    ['a message of the far future', 4_000_000_000, 1],
  ] as const) {
    it(`confirms ${what}`, async () => {
      broker = await rogue({ [idOf(60, 40)]: (channel) => method(channel, 60, 80, u64(tag), u8(multiple)) });
      await assert.rejects(publish(link(broker)), { kind: 'disconnected' });
    });
  }

  const FLOODS: Readonly<Record<string, (channel: number) => Buffer>> = {
    'bodies in single bytes': (channel) =>
      Buffer.concat([
        delivery(channel, 1, 100_000),
        ...Array.from({ length: 600 }, () => frame(3, channel, u8(1))),
      ]),
    'empty body frames': (channel) =>
      Buffer.concat([
        delivery(channel, 1, 1000),
        ...Array.from({ length: 600 }, () => frame(3, channel, Buffer.alloc(0))),
      ]),
    'more than was announced': (channel) =>
      Buffer.concat([delivery(channel, 1, 10), frame(3, channel, Buffer.alloc(20))]),
    'a negative size': (channel) => {
      const bad = delivery(channel, 1, 0);
      bad.writeBigInt64BE(-5n, bad.length - 11);
      return bad;
    },
    'more deliveries than it may': (channel) =>
      Buffer.concat(Array.from({ length: 50 }, (_, i) => delivery(channel, i + 1, 0))),
  };
  for (const [what, bytes] of Object.entries(FLOODS)) {
    it(`delivers ${what}`, async () => {
      broker = await rogue({
        [idOf(60, 20)]: (channel) =>
          Buffer.concat([method(channel, 60, 21, shortString('tag')), bytes(channel)]),
      });
      const used = link(broker);
      harness.trigger(trigger, used.connection, { queue: 'q', prefetch: 5 });
      await until(() => used.recorded.lines.find((line) => /^warn .*not AMQP/.test(line)));
    });
  }

  it('announces a body beyond the limit: it is skipped, and the next one arrives', async () => {
    broker = await rogue({
      [idOf(60, 20)]: (channel) =>
        Buffer.concat([
          method(channel, 60, 21, shortString('tag')),
          delivery(channel, 1, 50_000),
          frame(3, channel, Buffer.alloc(50_000)),
          delivery(channel, 2, 2),
          frame(3, channel, Buffer.from('ok')),
        ]),
    });
    const used = link(broker, { maxMessage: 1 });
    const { recorded } = harness.trigger(trigger, used.connection, { queue: 'q', prefetch: 5 });
    assert.equal(String((await recorded.next()).payload), 'ok');
  });
});
