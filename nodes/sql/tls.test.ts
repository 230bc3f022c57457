/** TLS of the database protocols begins inside them: a server that upgrades shows whom the client trusts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { TLSSocket } from 'node:tls';
import { isFailure, type Failure } from '../../lib/core';
import { makeAuthority, type Certificate } from '../../test/faults';
import { Harness } from '../../test/helpers/harness';
import { adapter } from './adapter';
import { connector } from './connector';

/** Answers PostgreSQL's SSLRequest with "S" and goes on in TLS; whoever gets through is refused the login. */
async function upgrading(certificate: Certificate, test: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('S');
      const secure = new TLSSocket(socket, { isServer: true, ...certificate });
      secure.on('error', () => {});
      secure.once('data', () => secure.end(refusal()));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await test((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** ErrorResponse (PostgreSQL manual, "Message Formats") of a refused password. */
function refusal(): Buffer {
  const fields = Buffer.from('SFATAL\0C28P01\0Mpassword authentication failed\0\0');
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

async function ask(port: number, ca: string): Promise<Failure> {
  const harness = new Harness({ directory: tmpdir() });
  const raw = { client: 'postgres', host: 'localhost', port: String(port), database: 'x', encrypt: true };
  const login = { authKind: 'basic', username: 'someone', acquireTimeout: '5s', tlsCa: ca };
  const { connection } = harness.connection(connector, { ...raw, ...login }, { password: 'secret' });
  try {
    const node = harness.adapter(adapter, connection, { operation: 'query', sql: 'SELECT 1' });
    const sent: unknown = await node.send({ params: {} }).catch((error: unknown) => error);
    assert.ok(isFailure(sent), 'nobody may get in');
    return sent;
  } finally {
    await harness.close();
  }
}

describe('sql over TLS', () => {
  const authority = makeAuthority();

  it('goes on to the login when certificate and host name fit', () =>
    upgrading(authority.issue(['localhost']), async (port) => {
      assert.equal((await ask(port, authority.cert)).code, 'AUTH_FAILED');
    }));

  it('refuses a certificate for another host', () =>
    upgrading(authority.issue(['other.example']), async (port) => {
      const failure = await ask(port, authority.cert);
      assert.equal(failure.code, 'TLS_FAILED', failure.message);
    }));

  it('refuses a certificate of an unknown authority', () =>
    upgrading(makeAuthority('Somebody else').issue(['localhost']), async (port) => {
      const failure = await ask(port, authority.cert);
      assert.equal(failure.code, 'TLS_FAILED', failure.message);
    }));
});
