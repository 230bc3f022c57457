/** The simulated broker with an independent client, and with clients that break the protocol; its routing. */
import assert from 'node:assert/strict';
import { connect as dial, type Socket } from 'node:net';
import { connect as amqp } from 'amqplib';
import { systemClock } from '../../lib/core';
import { until } from './bed.test';
import { decodeTable, encodeTable } from './headers';
import { encodePayload } from './payload';
import { start, type AmqpSimulator } from './simulator';
import { topicMatches } from './simulator-routing';

describe('amqp: the simulator', () => {
  let simulator: AmqpSimulator;
  beforeEach(async () => {
    simulator = await start({ port: 0, seed: 1, clock: systemClock });
  });
  afterEach(() => simulator.close());

  it('plays a plant whose readings arrive as JSON', async () => {
    const model = await amqp(`amqp://guest:guest@127.0.0.1:${simulator.port}`);
    const channel = await model.createChannel();
    const got = await until(() => channel.get('plant.readings', { noAck: true }));
    const reading = JSON.parse(got.content.toString()) as Record<string, unknown>;
    assert.equal(got.fields.routingKey, reading['tag']);
    assert.equal(reading['quality'], 'good');
    await model.close();
  });

  it('routes by headers, and from exchange to exchange', async () => {
    const model = await amqp(`amqp://guest:guest@127.0.0.1:${simulator.port}`);
    const channel = await model.createConfirmChannel();
    await channel.assertExchange('first', 'fanout');
    await channel.assertExchange('second', 'headers');
    await channel.assertQueue('all');
    await channel.assertQueue('some');
    await channel.bindExchange('second', 'first', '');
    await channel.bindQueue('all', 'second', '', { 'x-match': 'all', line: 1, kind: 'reading' });
    await channel.bindQueue('some', 'second', '', { 'x-match': 'any', line: 1, kind: 'reading' });
    channel.publish('first', '', Buffer.from('1'), { headers: { line: 1, kind: 'reading' } });
    channel.publish('first', '', Buffer.from('2'), { headers: { line: 1, kind: 'alarm' } });
    await channel.waitForConfirms();
    const count = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount;
    assert.deepEqual([await count('all'), await count('some')], [1, 2]);
    await model.close();
  });

  const HOSTILE: Readonly<Record<string, Buffer>> = {
    'speaks another protocol': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    'announces an endless frame': Buffer.concat([
      Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
      Buffer.from([1, 0, 0, 0x7f, 0xff, 0xff, 0xff]),
      Buffer.alloc(64),
    ]),
    'begins with content': Buffer.concat([
      Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
      Buffer.from([3, 0, 1, 0, 0, 0, 1, 65, 0xce]),
    ]),
    'cuts a method short': Buffer.concat([
      Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
      Buffer.from([1, 0, 0, 0, 0, 0, 2, 0, 10, 0xce]),
    ]),
  };
  for (const [what, bytes] of Object.entries(HOSTILE)) {
    it(`ends the connection of a client that ${what}`, async () => {
      const socket: Socket = dial({ host: '127.0.0.1', port: simulator.port });
      socket.on('error', () => {});
      const ended = new Promise((resolve) => socket.once('close', resolve));
      socket.resume();
      socket.write(bytes);
      await ended;
      assert.equal((await until(() => simulator.broker.queues.get('plant.readings'))).name, 'plant.readings');
    });
  }

  it('matches topics word by word, and quickly whatever the pattern', () => {
    const match = (pattern: string, key: string): boolean => topicMatches(pattern.split('.'), key.split('.'));
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['a.*.c', 'a.b.c', true],
      ['a.*.c', 'a.c', false],
      ['a.#', 'a', true],
      ['#', 'a.b', true],
      ['#.c', 'a.b.c', true],
      ['a.#.c', 'a.c', true],
      ['a.b', 'a.b.c', false],
    ];
    for (const [pattern, key, expected] of cases)
      assert.equal(match(pattern, key), expected, `${pattern} ${key}`);
    assert.equal(match('#.a'.repeat(20).replaceAll('a#', 'a.#'), 'a.'.repeat(120) + 'b'), false);
  });
});

describe('amqp: what can be sent', () => {
  const refused: Readonly<Record<string, unknown>> = {
    'a list': [1],
    'a function': { f: () => 1 },
    'no number': { n: NaN },
    'a name of its own meaning': { a: { '!': 'long' } },
    'a long name': { ['x'.repeat(256)]: 1 },
    'a number beyond 64 bits': { n: 2n ** 64n },
    'a date before 1970': { d: new Date(-1) },
  };
  for (const [what, headers] of Object.entries(refused)) {
    it(`is not ${what} among the headers`, () => {
      assert.throws(() => encodeTable(headers, 'Headers'), { code: 'BAD_MESSAGE', message: /^Headers/ });
    });
  }

  it('is no circle, and nothing endlessly deep', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    assert.throws(() => encodeTable(circle, 'Headers'), /nested too deeply/);
    assert.throws(() => encodePayload(circle, 'auto'), { code: 'BAD_MESSAGE' });
  });

  it('is a payload that fits what was asked for', () => {
    assert.throws(() => encodePayload(undefined, 'auto'), /no payload/);
    assert.throws(() => encodePayload({}, 'buffer'), /not a Buffer/);
    assert.throws(() => encodePayload({}, 'string'), /choose JSON/);
    assert.throws(() => encodePayload({ n: 1n }, 'json'), /cannot be written as JSON/);
    assert.deepEqual(encodePayload(5, 'auto').contentType, 'application/json');
  });

  it('comes back without a way to a prototype', () => {
    const table = decodeTable(JSON.parse('{"__proto__":{"polluted":1},"a":{"__proto__":1,"b":2}}'));
    assert.deepEqual(table, { a: { b: 2 } });
    assert.equal(Object.getPrototypeOf(table), Object.prototype);
  });
});
