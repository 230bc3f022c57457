/** TLS: the certificate is checked before a byte of the login is sent. */
import assert from 'node:assert/strict';
import { systemClock } from '../../lib/core';
import { makeAuthority, startTlsFront, type TlsFront } from '../../test/faults';
import { Harness } from '../../test/helpers/harness';
import { adapter } from './adapter';
import { connector } from './connector';
import { start, type AmqpSimulator } from './simulator';

describe('amqp: TLS', () => {
  const authority = makeAuthority();
  let simulator: AmqpSimulator;
  let harness: Harness;
  let front: TlsFront;
  beforeEach(async () => {
    simulator = await start({ port: 0, seed: 1, clock: systemClock, still: true });
    harness = new Harness();
  });
  afterEach(async () => {
    await harness.close();
    await front.close();
    await simulator.close();
  });

  const send = (
    raw: Record<string, string> = {},
    secrets: Record<string, string> = { password: 'guest' },
  ): Promise<unknown> => {
    const { connection } = harness.connection(
      connector,
      { host: '127.0.0.1', port: front.port, encrypt: true, authKind: 'basic', username: 'guest', ...raw },
      secrets,
    );
    const settings = { exchange: 'plant', routingKey: 'command.x', retryStrategy: 'none' };
    return harness.adapter(adapter, connection, settings).send({ payload: 1 });
  };

  it('publishes where the certificate is right', async () => {
    front = await startTlsFront(simulator, ['127.0.0.1'], authority);
    await send({ tlsCa: authority.cert });
    assert.ok(front.received > 0);
  });

  it('sends nothing to another host, nor to an unknown authority', async () => {
    front = await startTlsFront(simulator, ['other.example'], authority);
    await assert.rejects(send({ tlsCa: authority.cert }), {
      kind: 'config',
      code: 'TLS_FAILED',
      message: /certificate of another host/,
    });
    await assert.rejects(send(), { kind: 'config', code: 'TLS_FAILED', message: /unknown authority/ });
    assert.equal(front.received, 0);
  });

  it('is given the name that the certificate must carry', async () => {
    front = await startTlsFront(simulator, ['other.example'], authority);
    await send({ tlsCa: authority.cert, tlsServerName: 'other.example' });
  });

  it('names a port that does not speak TLS', async () => {
    front = await startTlsFront(simulator, ['127.0.0.1'], authority);
    await assert.rejects(send({ port: String(simulator.port) }), (failure: { code: string }) =>
      ['TLS_FAILED', 'CONNECTION_LOST'].includes(failure.code),
    );
  });

  it('logs in with a client certificate only over TLS, and where the broker offers it', async () => {
    front = await startTlsFront(simulator, ['127.0.0.1'], authority);
    const { cert, key } = authority.issue(['client.example']);
    const own = { authKind: 'certificate', tlsCert: cert, tlsCa: authority.cert };
    await assert.rejects(send({ ...own, encrypt: 'false' }, { tlsKey: key }), {
      kind: 'config',
      message: /needs "Encrypt the connection"/,
    });
    await assert.rejects(send(own, { tlsKey: key }), {
      kind: 'auth',
      message: /does not offer this kind of login/,
    });
  });
});
