import assert from 'node:assert/strict';
import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { makeAuthority } from './certificate';
import { startEcho } from './helpers';
import { startTlsFront } from './tls';

describe('faults: TLS front', () => {
  it('serves a certificate that its own authority proves', async () => {
    const echo = await startEcho();
    const front = await startTlsFront(echo, ['127.0.0.1']);
    const socket = connect({ host: front.host, port: front.port, ca: front.ca });
    await once(socket, 'secureConnect');
    assert.equal(socket.authorized, true);
    socket.write('hello');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.equal(answer.toString(), 'HELLO');
    socket.destroy();
    await front.close();
    await echo.close();
  });

  it('is refused with the certificate of another host, before a byte is sent', async () => {
    const echo = await startEcho();
    const front = await startTlsFront(echo, ['other.example']);
    const socket = connect({ host: front.host, port: front.port, ca: front.ca });
    socket.once('secureConnect', () => socket.write('secret'));
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
    await front.close();
    await echo.close();
    assert.equal(front.received, 0);
  });

  it('issues for names and addresses, also expired ones', () => {
    const authority = makeAuthority();
    const issued = new X509Certificate(authority.issue(['plant.example', '127.0.0.1'], new Date(0)).cert);
    assert.equal(issued.subjectAltName, 'DNS:plant.example, IP Address:127.0.0.1');
    assert.equal(new Date(issued.validTo).getTime(), 0);
    assert.ok(issued.verify(new X509Certificate(authority.cert).publicKey));
  });
});
