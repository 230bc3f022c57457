/** Publishing, consuming and settling, on the simulator and on RabbitMQ alike. */
import assert from 'node:assert/strict';
import type { Failure, Message } from '../../lib/core';
import { amqpOf, Bed, PEERS, until } from './bed.test';

for (const [peer, start] of Object.entries(PEERS)) {
  describe(`amqp: on ${peer}`, () => {
    let bed: Bed;
    beforeEach(async () => {
      bed = await Bed.start(start);
    });
    afterEach(() => bed.close());

    it('publishes body and properties as they were given', async () => {
      const queue = await bed.queue('q');
      const exchange = await bed.exchange('x', 'topic', queue, 'plant.*.temperature');
      const node = bed.node({
        exchange,
        routingKey: 'plant.line1.temperature',
        priority: 5,
        expiration: '1h',
        messageType: 'reading',
        correlationId: 'c1',
        replyTo: 'answers',
        headers: '{"line":1,"ratio":0.5,"ok":true,"list":["a",2],"inner":{"unit":"°C"},"none":null}',
      });
      await node.send({ payload: { value: 78.5 }, idempotencyKey: 'key-1' });
      const got = await bed.get(queue);
      assert.deepEqual(JSON.parse(got?.content.toString() ?? ''), { value: 78.5 });
      const { timestamp, ...properties } = got?.properties ?? {};
      assert.ok(typeof timestamp === 'number' && timestamp > 1_700_000_000);
      const given = Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
      assert.deepEqual(given, {
        contentType: 'application/json',
        headers: { line: 1, ratio: 0.5, ok: true, list: ['a', 2], inner: { unit: '°C' }, none: null },
        deliveryMode: 2,
        priority: 5,
        correlationId: 'c1',
        replyTo: 'answers',
        expiration: '3600000',
        messageId: 'key-1',
        type: 'reading',
      });
    });

    it('lets the message choose where it goes and how it is called', async () => {
      const queue = await bed.queue('q');
      const msg: Message = {
        payload: 'x',
        exchange: '',
        routingKey: queue,
        messageId: 'own',
        contentType: 'text/csv',
      };
      await bed.node({ exchange: 'unused' }).send(msg);
      const got = await bed.get(queue);
      assert.deepEqual([got?.properties['messageId'], got?.properties['contentType']], ['own', 'text/csv']);
      assert.equal(got?.content.toString(), 'x');
    });

    it('sends a body of several frames whole', async () => {
      const queue = await bed.queue('q');
      const body = Buffer.alloc(700_000, 'holdfast');
      const taken = bed.take({ queue });
      await bed.node({ routingKey: queue }).send({ payload: body });
      const msg = await taken.recorded.next();
      assert.ok(body.equals(msg.payload as Buffer));
    });

    it('fails the one message of a hundred in flight that no queue takes', async () => {
      const queue = await bed.queue('q');
      const exchange = await bed.exchange('x', 'direct', queue, 'right');
      const node = bed.node({ exchange });
      const sent = Array.from({ length: 100 }, (_, i) => ({
        payload: i,
        routingKey: i === 41 ? 'wrong' : 'right',
      }));
      const outcomes = await Promise.allSettled(sent.map((msg) => node.send(msg)));
      const failed = outcomes.flatMap((one, i) =>
        one.status === 'rejected' ? [[i, one.reason as Failure]] : [],
      );
      assert.equal(failed.length, 1);
      const [[index, failure]] = failed as [[number, Failure]];
      assert.deepEqual([index, failure.kind, failure.code], [41, 'rejected', 'UNROUTABLE']);
      assert.match(failure.message, /exchange ".*x" with key "wrong"/);
      assert.equal(await until(() => bed.count(queue)), 99);
    });

    it('fails the right one even when all carry the same message id', async () => {
      const queue = await bed.queue('q');
      const exchange = await bed.exchange('x', 'direct', queue, 'right');
      const node = bed.node({ exchange, messageId: 'always the same' });
      const keys = ['right', 'wrong', 'right', 'right', 'wrong'];
      const outcomes = await Promise.allSettled(
        keys.map((routingKey, i) => node.send({ payload: i, routingKey })),
      );
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected'],
      );
    });

    it('drops what no queue takes where that is wanted', async () => {
      const exchange = await bed.exchange('x', 'fanout');
      await bed.node({ exchange, mandatory: false }).send({ payload: 'nobody' });
    });

    it('names a missing exchange, sends nothing, and goes on with the others', async () => {
      const queue = await bed.queue('q');
      const link = bed.link();
      const node = bed.node({ routingKey: queue }, link);
      const missing = bed.node({ exchange: bed.name('missing') }, link);
      const all = [node.send({ payload: 1 }), missing.send({ payload: 2 }), node.send({ payload: 3 })];
      const [first, second, third] = await Promise.allSettled(all);
      assert.deepEqual([first?.status, third?.status], ['fulfilled', 'fulfilled']);
      const failure = (second as PromiseRejectedResult).reason as Failure;
      assert.deepEqual([failure.kind, failure.code, failure.reached], ['rejected', 'NOT_DECLARED', false]);
      assert.match(failure.message, /^Exchange ".*missing" does not exist on the broker/);
      assert.ok(!link.recorded.lines.some((line) => line.startsWith('warn')), String(link.recorded.lines));
    });

    it('finds an exchange that was made after the first failure', async () => {
      const queue = await bed.queue('q');
      const node = bed.node({ exchange: bed.name('x'), routingKey: 'k' });
      await assert.rejects(node.send({ payload: 1 }), { code: 'NOT_DECLARED' });
      await bed.exchange('x', 'topic', queue);
      await node.send({ payload: 2 });
      await bed.channel.deleteExchange(bed.name('x'));
      await assert.rejects(node.send({ payload: 3 }), { code: 'NOT_DECLARED' });
      assert.equal(await bed.count(queue), 1);
    });

    it('hands messages to the flow with what the broker says about them', async () => {
      const queue = await bed.queue('q');
      const { recorded } = bed.take({ queue });
      bed.channel.publish('', queue, Buffer.from('{"a":1}'), {
        contentType: 'application/json; charset=utf-8',
        timestamp: 1_760_000_000,
        messageId: 'm1',
        headers: { when: { '!': 'timestamp', value: 1_760_000_000 }, line: 4 },
      });
      const msg = await recorded.next();
      assert.deepEqual([msg.topic, msg.payload], [queue, { a: 1 }]);
      const { token, properties, headers, ...rest } = amqpOf(msg);
      assert.equal(typeof token, 'string');
      assert.deepEqual(rest, { queue, exchange: '', routingKey: queue, redelivered: false });
      assert.deepEqual(headers, { when: new Date(1_760_000_000_000), line: 4 });
      const { messageId, timestamp } = properties as Record<string, unknown>;
      assert.deepEqual([messageId, timestamp], ['m1', '2025-10-09T08:53:20.000Z']);
    });

    it('decodes by content type, and leaves a body alone that is not what it says', async () => {
      const queue = await bed.queue('q');
      const { recorded } = bed.take({ queue });
      const bodies = [
        ['text/plain', 'words', 'words'],
        ['application/octet-stream', 'bytes', Buffer.from('bytes')],
        ['application/vnd.plant+json', '[1]', [1]],
        ['application/json', '{broken', Buffer.from('{broken')],
      ] as const;
      for (const [contentType, body] of bodies)
        bed.channel.sendToQueue(queue, Buffer.from(body), { contentType });
      for (const [, , expected] of bodies) assert.deepEqual((await recorded.next()).payload, expected);
      const last = recorded.sent.at(-1)?.msg;
      assert.match(String(last && amqpOf(last)['problem']), /not JSON/);
    });

    it('hands out no more than the prefetch, and the next for each that is settled', async () => {
      const queue = await bed.queue('q');
      for (let i = 0; i < 6; i += 1)
        bed.channel.sendToQueue(queue, Buffer.from(String(i)), { contentType: 'text/plain' });
      const link = bed.link();
      const { recorded } = bed.take({ queue, prefetch: 2 }, link);
      const settle = bed.node({ operation: 'acknowledge' }, link);
      const first = await recorded.next();
      await recorded.next();
      await settle.send(first);
      await recorded.next();
      // The broker has answered a later question than the deliveries: no fourth is on its way.
      await assert.rejects(settle.send(first), { code: 'LEASE_LOST' });
      assert.equal(recorded.sent.length, 3);
      assert.equal(await until(() => bed.count(queue)), 3);
    });

    it('acknowledges, rejects into the dead letters and requeues', async () => {
      const dead = await bed.queue('dead');
      const exchange = await bed.exchange('dlx', 'fanout', dead);
      const queue = await bed.queue('q', { deadLetterExchange: exchange });
      const link = bed.link();
      const { recorded } = bed.take({ queue }, link);
      for (const word of ['good', 'bad', 'again']) bed.channel.sendToQueue(queue, Buffer.from(word));
      const [good, bad, again] = [await recorded.next(), await recorded.next(), await recorded.next()];
      await bed.node({ operation: 'acknowledge' }, link).send(good);
      await bed.node({ operation: 'reject' }, link).send(bad);
      await bed.node({ operation: 'reject', requeue: true }, link).send(again);
      const back = await recorded.next();
      assert.deepEqual([String(back.payload), amqpOf(back)['redelivered']], ['again', true]);
      const buried = await until(() => bed.get(dead));
      assert.equal(buried.content.toString(), 'bad');
      await bed.node({ operation: 'acknowledge' }, link).send(back);
      assert.equal(await bed.count(queue), 0);
    });

    it('removes messages by itself where that is wanted, and not before the flow has them', async () => {
      const queue = await bed.queue('q');
      const { recorded } = bed.take({ queue, acknowledge: 'auto', prefetch: 1 });
      for (let i = 0; i < 50; i += 1) bed.channel.sendToQueue(queue, Buffer.from(String(i)));
      for (let i = 0; i < 50; i += 1) assert.equal(String((await recorded.next()).payload), String(i));
      assert.ok(recorded.sent.every(({ msg }) => amqpOf(msg)['token'] === undefined));
    });

    it('gets back what was not settled when the connection is cut, and old tokens are worthless', async () => {
      const queue = await bed.queue('q');
      const link = bed.link();
      const { recorded } = bed.take({ queue }, link);
      const settle = bed.node(
        { operation: 'acknowledge', retryStrategy: 'fixed', retryBase: '50ms', retryAttempts: 100 },
        link,
      );
      bed.channel.sendToQueue(queue, Buffer.from('twice'));
      const first = await recorded.next();
      await bed.proxy.set({ kind: 'reset' });
      await recorded.shows(({ level }) => level === 'bad');
      await bed.proxy.clear();
      const second = await recorded.next();
      assert.deepEqual([String(second.payload), amqpOf(second)['redelivered']], ['twice', true]);
      await assert.rejects(settle.send(first), (failure: Failure) => {
        assert.deepEqual([failure.kind, failure.code], ['rejected', 'LEASE_LOST']);
        return /delivers again/.test(failure.message);
      });
      await settle.send(second);
      assert.equal(await bed.count(queue), 0);
    });

    it('gives back what the flow holds when the trigger stops', async () => {
      const queue = await bed.queue('q');
      const { node, recorded } = bed.take({ queue });
      bed.channel.sendToQueue(queue, Buffer.from('kept'));
      await recorded.next();
      await node.close();
      assert.equal(await until(() => bed.count(queue)), 1);
    });

    it('refuses to settle a message that came from elsewhere', async () => {
      const settle = bed.node({ operation: 'reject' });
      await assert.rejects(settle.send({ payload: 1 }), { code: 'BAD_MESSAGE' });
      await assert.rejects(settle.send({ amqp: { token: 'made up:1' } }), { code: 'LEASE_LOST' });
    });

    it('waits as the second consumer of a single active one, and takes over', async () => {
      const queue = await bed.queue('q', {
        arguments: { 'x-queue-type': 'classic', 'x-single-active-consumer': true },
      });
      const queues = [{ name: queue, kind: 'classic', single: true }];
      const [first, second] = [bed.link({ queues }), bed.link({ queues })];
      const active = bed.take({ queue }, first);
      await until(async () => (await bed.channel.checkQueue(queue)).consumerCount);
      const waiting = bed.take({ queue }, second);
      await waiting.recorded.shows(({ text }) => /standby/.test(text));
      bed.channel.sendToQueue(queue, Buffer.from('1'));
      assert.equal(String((await active.recorded.next()).payload), '1');
      await active.node.close();
      assert.equal(String((await waiting.recorded.next()).payload), '1');
      await waiting.recorded.shows(({ level, text }) => level === 'good' && !/standby/.test(text));
    });

    it('says so when the queue is deleted, and goes on when it is back', async () => {
      const queue = await bed.queue('q');
      const { recorded } = bed.take({ queue });
      bed.channel.sendToQueue(queue, Buffer.from('1'));
      await recorded.next();
      await bed.channel.deleteQueue(queue);
      await until(() => recorded.failures.find(({ code }) => code === 'NOT_DECLARED'));
      assert.match(recorded.failures[0]?.message ?? '', /^Queue ".*q" does not exist on the broker/);
      await bed.queue('q');
      bed.channel.sendToQueue(queue, Buffer.from('2'));
      assert.equal(String((await recorded.next()).payload), '2');
    });

    it('rejects a body beyond the limit without reading it in, and goes on', async () => {
      const dead = await bed.queue('dead');
      const exchange = await bed.exchange('dlx', 'fanout', dead);
      const queue = await bed.queue('q', { deadLetterExchange: exchange });
      const { recorded } = bed.take({ queue }, bed.link({ maxMessage: 1 }));
      bed.channel.sendToQueue(queue, Buffer.alloc(300_000));
      bed.channel.sendToQueue(queue, Buffer.from('small'));
      assert.equal(String((await recorded.next()).payload), 'small');
      assert.equal((await until(() => bed.get(dead))).content.length, 300_000);
      assert.ok(
        recorded.lines.some((line) => /300000 bytes .* larger than/.test(line)),
        String(recorded.lines),
      );
    });
  });
}
