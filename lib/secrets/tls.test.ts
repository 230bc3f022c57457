import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAuthority } from '../../test/faults/certificate';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { isFailure, Scope, systemClock } from '../core';
import { buildTls, type BuiltTls } from './tls';
import { nodeTokenHttp } from './token-http';

const authority = makeAuthority();
const own = authority.issue(['gateway']);
const key = createPrivateKey(own.key);
const encrypted = key
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' })
  .toString();

const build = (settings: Record<string, string>, directory?: string): Promise<BuiltTls> =>
  buildTls(settings, { clock: systemClock, ...(directory !== undefined && { directory }) });

describe('secrets: TLS settings', () => {
  let folder = '';
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'holdfast-tls-'))));
  after(() => rm(folder, { recursive: true }));

  it('has safe defaults', async () => {
    const expected = { tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true }, warnings: [] };
    assert.deepEqual(await build({}), expected);
    assert.deepEqual(await build({ tlsCa: ' ', tlsVerify: 'full', tlsMinVersion: 'SSLv3' }), expected);
  });

  it('takes PEM text and files, absolute or in the user directory', async () => {
    await writeFile(join(folder, 'ca.pem'), authority.cert);
    const settings = { tlsCert: own.cert, tlsKey: encrypted, tlsPassphrase: 'open', tlsServerName: 'plc' };
    for (const tlsCa of [
      'ca.pem',
      join(folder, 'ca.pem'),
      `file:${join(folder, 'ca.pem')}`,
      authority.cert,
    ]) {
      const { tls, warnings } = await build({ ...settings, tlsCa, tlsMinVersion: 'TLSv1.3' }, folder);
      assert.deepEqual(warnings, []);
      assert.deepEqual(tls, {
        minVersion: 'TLSv1.3',
        rejectUnauthorized: true,
        ca: authority.cert.trim(),
        cert: own.cert.trim(),
        key: encrypted.trim(),
        passphrase: 'open',
        servername: 'plc',
      });
    }
  });

  it('is loud about a check that is switched off, and about expired certificates', async () => {
    const off = await build({ tlsVerify: 'none' });
    assert.equal(off.tls.rejectUnauthorized, false);
    assert.match(off.warnings.join(), /^The certificate of the server is not checked: anyone/);
    const old = authority.issue(['gateway'], new Date(Date.UTC(2020, 4, 3)));
    const clock = new VirtualClock();
    const { warnings } = await buildTls({ tlsCert: old.cert, tlsKey: old.key }, { clock });
    assert.deepEqual(warnings, ['"Client certificate" holds a certificate that expired on 2020-05-03.']);
  });

  const damaged = authority.cert.replace(/M[A-Za-z]/, '!!');
  const wrong: [Record<string, string>, RegExp][] = [
    [
      { tlsCa: '/nowhere/ca.pem' },
      /^"CA certificates" names the file \/nowhere\/ca\.pem, but the file does not exist/,
    ],
    [{ tlsCa: 'ca.pem' }, /^"CA certificates" is neither PEM text nor an absolute path/],
    [{ tlsCa: '/dev/zero' }, /^"CA certificates" names .*, but it is not a regular file/],
    [{ tlsCa: __filename }, /^"CA certificates" holds no "BEGIN CERTIFICATE" block|that holds no PEM text/],
    [{ tlsCa: own.key }, /^"CA certificates" holds no "BEGIN CERTIFICATE" block/],
    [{ tlsCa: damaged }, /^"CA certificates" is damaged: certificate 1 of 1/],
    [{ tlsCert: own.cert }, /^"Client key" is empty although/],
    [{ tlsKey: own.key }, /^"Client certificate" is empty although/],
    [{ tlsCert: own.cert, tlsKey: authority.key }, /^"Client key" does not belong to the client certificate/],
    [{ tlsCert: own.cert, tlsKey: own.cert }, /^"Client key" is not a private key/],
    [{ tlsCert: own.cert, tlsKey: encrypted }, /^"Key passphrase" is empty, but/],
    [{ tlsCert: own.cert, tlsKey: encrypted, tlsPassphrase: 'canary' }, /^"Key passphrase" does not open/],
    [{ tlsCert: own.cert, tlsKey: 'canary' }, /^"Client key" is neither PEM text nor an absolute path/],
    [{ tlsCert: own.cert, tlsKey: '/canary' }, /^"Client key" names a file, but the file does not exist/],
  ];
  for (const [settings, message] of wrong) {
    it(`refuses: ${message.source.slice(1, 70)}`, () =>
      assert.rejects(build(settings), (error: unknown) => {
        assert.ok(isFailure(error) && error.kind === 'config' && !error.reached);
        assert.match(error.message, message);
        assert.ok(!String(error.stack).includes('canary'));
        return true;
      }));
  }

  it('makes token requests over mutual TLS, and none to a server it cannot prove', async () => {
    const site = authority.issue(['127.0.0.1']);
    const options = { cert: site.cert, key: site.key, ca: authority.cert, requestCert: true };
    const server = createServer(options, (req, res) => res.end(req.method));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const good = await build({ tlsCa: authority.cert, tlsCert: own.cert, tlsKey: own.key });
    const answer = await nodeTokenHttp(good.tls).post(url, {}, 'a=b', new Scope());
    assert.deepEqual([answer.status, answer.body], [200, 'POST']);
    const strange = await build({
      tlsCa: makeAuthority('Stranger').cert,
      tlsCert: own.cert,
      tlsKey: own.key,
    });
    await assert.rejects(
      nodeTokenHttp(strange.tls).post(url, {}, 'a=b', new Scope()),
      /self-signed|unable to/,
    );
    await new Promise((resolve) => server.close(resolve));
  });
});
