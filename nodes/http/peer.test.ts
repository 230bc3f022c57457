/** The peer that the tests of this folder trust. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { Peer } from '../../test/helpers/http-peer';

describe('http: the peer of these tests', () => {
  it('shows what it was asked', async () => {
    const peer = await new Peer().start();
    await new Promise<void>((resolve) => {
      request(`${peer.origin}/a?b=1`, { method: 'PUT', agent: false }, (res) =>
        res.resume().on('end', resolve),
      ).end('x');
    });
    await peer.close();
    assert.equal(peer.last.method, 'PUT');
    assert.equal(peer.last.url, '/a?b=1');
    assert.equal(peer.last.body.toString(), 'x');
  });
});
