import type { Contract } from '../../test/contract/types';
import { brokerAddress } from '../../test/helpers/services';

const QUEUE = 'holdfast-contract';
const { host, port, user, password } = brokerAddress('NATS');
const login = user === '' ? { authKind: 'none' } : { authKind: 'basic', username: user };

/** The faults of the network stand before NATS JetStream; the local file has no socket and gets faults of its own. */
export const contract: Contract = {
  server: { service: 'NATS', peer: { host, port } },
  connection: (peer) => ({
    store: 'nats',
    queue: QUEUE,
    servers: [`${peer.host}:${peer.port}`],
    encrypt: false,
    ...login,
  }),
  credentials: { password },
  samples: {
    'holdfast-queue': [
      { name: 'put', msg: { payload: { piece: 1 } } },
      { name: 'put the payload', config: { store: 'payload' }, msg: { payload: [1, 2, 3] } },
    ],
    'holdfast-queue-trigger': [
      // Nothing acknowledges what this node takes.
      { name: 'take', config: { acknowledge: 'sent', pollEvery: '200ms' } },
    ],
  },
  without: {
    wrongTlsHost: 'TLS begins inside the protocol; lib/queue/nats has a test of its own.',
    authRefused: 'The server itself refuses a wrong login; lib/queue/nats has a test of its own.',
  },
  async cleanUp() {
    const { connect } = await import('@nats-io/transport-node');
    const { jetstreamManager } = await import('@nats-io/jetstream');
    const client = await connect({
      servers: `${host}:${port}`,
      ...(user === '' ? {} : { user, pass: password }),
    });
    const streams = await jetstreamManager(client);
    await streams.streams.delete(`holdfast_q_${QUEUE}`).catch(() => false);
    await client.close();
  },
};
