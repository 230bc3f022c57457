import assert from 'node:assert/strict';
import { connect as amqp } from 'amqplib';
import { RabbitServer } from './rabbit-server';

describe('a RabbitMQ node of a test’s own', function () {
  this.timeout(180_000);

  it('keeps what it confirmed over a kill, and leaves nothing behind', async () => {
    const server = await RabbitServer.start();
    const url = `amqp://${server.user}:${server.password}@${server.host}:${server.port}`;
    try {
      const first = await amqp(url);
      first.on('error', () => {});
      const channel = await first.createConfirmChannel();
      channel.on('error', () => {});
      await channel.assertQueue('kept', { arguments: { 'x-queue-type': 'quorum' } });
      channel.sendToQueue('kept', Buffer.from('it'), { persistent: true });
      await channel.waitForConfirms();
      await server.settle();
      const cut = new Promise((resolve) => first.once('close', resolve));
      await server.kill();
      await cut;

      await server.restart();
      const second = await amqp(url);
      const got = await (await second.createChannel()).get('kept', { noAck: true });
      assert.equal(got === false ? '' : got.content.toString(), 'it');
      await second.close();
      await server.stop();
    } finally {
      await server.dispose();
    }
    await assert.rejects(amqp(url), /ECONNREFUSED/);
  });
});
