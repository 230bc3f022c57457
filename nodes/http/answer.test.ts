import assert from 'node:assert/strict';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Failure } from '../../lib/core';
import { client, json, Peer, type Client } from '../../test/helpers/http-peer';

describe('http: answers', () => {
  let peer: Peer;
  const open: Client[] = [];
  const use = (node: Record<string, unknown> = {}): Client => {
    const made = client({ baseUrl: peer.origin }, { path: '/x', ...node });
    open.push(made);
    return made;
  };
  const answers = (data: Buffer | string, headers: Record<string, string> = {}, status = 200): void => {
    peer.reply = (_seen, res) => void res.writeHead(status, headers).end(data);
  };

  beforeEach(async () => {
    peer = await new Peer().start();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await peer.close();
  });

  it('gives JSON, text in any character set, and bytes', async () => {
    answers('\ufeff{"a":"ü"}');
    assert.deepEqual((await use().send({})).payload, { a: 'ü' });
    answers(Buffer.from('gr\u00fcn \u0080', 'latin1'), {
      'content-type': 'text/plain; charset="ISO-8859-1"',
    });
    assert.equal((await use({ response: 'text' }).send({})).payload, 'grün €');
    assert.deepEqual(
      (await use({ response: 'buffer' }).send({})).payload,
      Buffer.from('gr\u00fcn \u0080', 'latin1'),
    );
    answers('', {}, 204);
    assert.equal((await use().send({})).payload, null);
    assert.equal((await use({ response: 'text' }).send({})).payload, '');
    answers('{"a":1}');
    const head = await use({ method: 'HEAD' }).send({});
    assert.equal(head.payload, null);
    assert.equal(head.statusCode, 200);
  });

  for (const [name, data, node] of [
    ['a login page instead of JSON', '<html>\r\nlogin\u202e', {}],
    ['half a document', '{"a":', {}],
    ['invalid UTF-8 in JSON', Buffer.from([0x22, 0xff, 0x22]), {}],
    ['invalid UTF-8 in text', Buffer.from([0xff]), { response: 'text' }],
  ] as const) {
    it(`refuses ${name}`, async () => {
      answers(data);
      await assert.rejects(use(node).send({}), (failure: Failure) => {
        assert.equal(failure.code, 'BAD_RESPONSE');
        assert.equal(failure.kind, 'rejected');
        return !/[\p{Cc}\p{Cf}]/u.test(failure.message);
      });
    });
  }

  it('refuses a character set that nobody knows', async () => {
    answers('x', { 'content-type': 'text/plain; charset=klingon' });
    await assert.rejects(use({ response: 'text' }).send({}), { code: 'BAD_RESPONSE' });
  });

  it('refuses nesting that would overflow whoever walks it, and takes what is deep but sane', async () => {
    answers('['.repeat(100_000) + ']'.repeat(100_000));
    await assert.rejects(use().send({}), { code: 'BAD_RESPONSE' });
    answers('{"a":'.repeat(600) + '1' + '}'.repeat(600));
    await assert.rejects(use().send({}), { code: 'BAD_RESPONSE' });
    const text = `"${'[{'.repeat(2000)}\\""`;
    answers(`{"a":${text},"b":${'['.repeat(500)}${']'.repeat(500)}}`);
    const { payload } = await use().send({});
    assert.equal((payload as Record<string, string>)['a'], JSON.parse(text));
  });

  for (const [coding, pack] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const) {
    it(`undoes ${coding}, up to the limit`, async () => {
      const plain = Buffer.from(JSON.stringify({ text: 'x'.repeat(5000) }));
      answers(pack(plain), { 'content-encoding': coding });
      const msg = await use({ response: 'buffer' }).send({});
      assert.deepEqual(msg.payload, plain);
      assert.match(String(peer.last.headers['accept-encoding']), new RegExp(coding));
      answers(pack(Buffer.alloc(50_000_000)), { 'content-encoding': coding });
      await assert.rejects(use({ maxSize: 1024 }).send({}), { code: 'RESPONSE_TOO_LARGE', kind: 'rejected' });
      answers(pack(plain).subarray(0, -12), { 'content-encoding': coding });
      await assert.rejects(use({ response: 'text' }).send({}), { code: 'BAD_RESPONSE' });
    });
  }

  it('refuses codings that nobody asked for', async () => {
    answers('x', { 'content-encoding': 'zstd' });
    await assert.rejects(use().send({}), { code: 'BAD_RESPONSE' });
    answers(gzipSync(gzipSync(gzipSync('{}'))), { 'content-encoding': 'gzip, gzip, gzip' });
    await assert.rejects(use().send({}), { code: 'BAD_RESPONSE' });
    answers(gzipSync(gzipSync('{"twice":1}')), { 'content-encoding': 'gzip, gzip' });
    assert.deepEqual((await use().send({})).payload, { twice: 1 });
  });

  it('stops reading at the limit, announced or not', async () => {
    let sent = 0;
    peer.reply = (_seen, res) => {
      const more = (): void => {
        while (!res.destroyed && sent < 100_000_000) {
          sent += 65_536;
          if (!res.write(Buffer.alloc(65_536))) return void res.once('drain', more);
        }
      };
      res.writeHead(200);
      more();
    };
    await assert.rejects(use({ maxSize: 100 }).send({}), { code: 'RESPONSE_TOO_LARGE' });
    assert.ok(sent < 50_000_000, `the peer could send ${sent} bytes`);
  });

  const cases: readonly (readonly [number, Record<string, string>, Partial<Failure>])[] = [
    [400, {}, { kind: 'rejected', code: 'PEER_REJECTED' }],
    [401, {}, { kind: 'auth', code: 'AUTH_FAILED', reached: false }],
    [403, {}, { kind: 'rejected', code: 'PEER_REJECTED' }],
    [404, {}, { kind: 'rejected', code: 'PEER_REJECTED' }],
    [407, {}, { kind: 'auth', code: 'AUTH_FAILED' }],
    [408, {}, { kind: 'transient', code: 'PEER_ERROR' }],
    [408, { 'retry-after': '2' }, { kind: 'throttled', code: 'THROTTLED', retryAfterMs: 2000 }],
    [429, {}, { kind: 'throttled', code: 'THROTTLED', reached: false, retryAfterMs: undefined }],
    [429, { 'retry-after': '0' }, { kind: 'throttled', retryAfterMs: 0 }],
    [500, {}, { kind: 'transient', code: 'PEER_ERROR', reached: true }],
    [501, {}, { kind: 'rejected', code: 'PEER_REJECTED' }],
    [503, {}, { kind: 'transient', code: 'PEER_ERROR' }],
    [503, { 'retry-after': '3' }, { kind: 'throttled', code: 'THROTTLED', retryAfterMs: 3000 }],
    [503, { 'retry-after': 'soon' }, { kind: 'transient', retryAfterMs: undefined }],
    [304, {}, { kind: 'rejected', code: 'PEER_REJECTED' }],
    [599, {}, { kind: 'transient', code: 'PEER_ERROR' }],
  ];
  for (const [status, headers, expected] of cases) {
    it(`names ${status} ${JSON.stringify(headers)}`, async () => {
      answers(status === 304 ? '' : 'because\r\n of\u0000 reasons', headers, status);
      await assert.rejects(use().send({}), (failure: Failure) => {
        for (const [name, value] of Object.entries(expected)) {
          assert.equal(failure[name as keyof Failure], value, name);
        }
        assert.ok(failure.message.includes(`${peer.origin} answers GET /x with ${status}`), failure.message);
        if (status !== 304) assert.ok(failure.message.includes('because of reasons'));
        assert.equal(failure.details['status'], status);
        return true;
      });
    });
  }

  describe('a failing answer that is larger than the limit is named by its status', () => {
    const big = 'x'.repeat(5000);
    const small = { maxSize: 1 };
    for (const [status, headers, expected] of cases.filter(([one]) => one !== 304)) {
      it(`${status} ${JSON.stringify(headers)}`, async () => {
        for (const length of [{}, { 'content-length': '5000' }]) {
          answers(big, { ...headers, ...length }, status);
          await assert.rejects(use(small).send({}), (failure: Failure) => {
            for (const [name, value] of Object.entries(expected)) {
              assert.equal(failure[name as keyof Failure], value, name);
            }
            assert.ok(!failure.message.includes('It says'), failure.message);
            assert.deepEqual([failure.details['status'], failure.details['body']], [status, '']);
            return true;
          });
        }
      });
    }

    it('also when it is only so once it is unpacked', async () => {
      answers(gzipSync(big), { 'content-encoding': 'gzip' }, 503);
      await assert.rejects(use(small).send({}), { code: 'PEER_ERROR', kind: 'transient' });
    });

    it('also when the limit cuts off what was acted on: a POST is not repeated', async () => {
      peer.reply = (seen, res) =>
        seen.method === 'POST'
          ? void res.writeHead(303, { location: '/result' }).end()
          : void res.writeHead(429).end(big);
      const once = { retryStrategy: 'fixed', retryBase: '1ms', retryAttempts: 3, method: 'POST' };
      await assert.rejects(use({ ...small, ...once }).send({ payload: 1 }));
      assert.equal(peer.seen.filter(({ method }) => method === 'POST').length, 1);
    });

    it('but not when that status means success: nothing arrives half', async () => {
      for (const headers of [{}, { 'content-encoding': 'gzip' }]) {
        answers('content-encoding' in headers ? gzipSync(big) : big, headers, 404);
        const all = { ...small, successStatus: '200-599', response: 'text' };
        await assert.rejects(use(all).send({}), { code: 'RESPONSE_TOO_LARGE', kind: 'rejected' });
      }
      answers('not packed', { 'content-encoding': 'gzip' }, 404);
      await assert.rejects(use({ successStatus: '404', response: 'text' }).send({}), {
        code: 'BAD_RESPONSE',
      });
    });

    it('and the connection works afterwards', async () => {
      const http = use(small);
      answers(big, {}, 500);
      for (let i = 0; i < 3; i += 1) await assert.rejects(http.send({}), { code: 'PEER_ERROR' });
      answers('{"ok":true}');
      assert.deepEqual((await http.send({})).payload, { ok: true });
    });
  });

  it('reads a Retry-After date', async () => {
    const at = new Date(Math.ceil(Date.now() / 1000) * 1000 + 60_000);
    answers('', { 'retry-after': at.toUTCString() }, 429);
    await assert.rejects(use().send({}), (failure: Failure) => {
      const ms = failure.retryAfterMs ?? NaN;
      return ms <= at.getTime() && ms > 30_000 && ms <= 62_000;
    });
  });

  it('keeps a hostile error page short', async () => {
    answers('x'.repeat(1_000_000), {}, 400);
    await assert.rejects(use().send({}), (failure: Failure) => {
      assert.ok(failure.message.length < 400);
      return JSON.stringify(failure.toRecord()).length < 1200;
    });
  });

  it('takes the listed statuses for success', async () => {
    answers('{}', {}, 404);
    assert.equal((await use({ successStatus: '200-299, 404' }).send({})).statusCode, 404);
    answers('{}', {}, 202);
    await assert.rejects(use({ successStatus: '200' }).send({}), { code: 'PEER_REJECTED' });
  });

  const checks: readonly (readonly [string, string, string, unknown, boolean])[] = [
    ['equals', 'r.ok', 'true', { r: { ok: true } }, true],
    ['equals', 'r.ok', 'true', { r: { ok: false } }, false],
    ['equals', 'r.ok', 'true', {}, false],
    ['equals', 'r', '[object Object]', { r: {} }, false],
    ['differs', 'state', 'ERROR', { state: 'OK' }, true],
    ['differs', 'state', 'ERROR', { state: 'ERROR' }, false],
    ['exists', 'id', '', { id: 0 }, true],
    ['exists', 'id', '', { id: null }, false],
    ['missing', 'error', '', {}, true],
    ['missing', 'error', '', { error: { code: 7 } }, false],
    ['missing', 'error', '', null, true],
  ];
  for (const [check, checkPath, checkValue, body, good] of checks) {
    it(`${good ? 'passes' : 'fails'} "${checkPath} ${check} ${checkValue}" for ${JSON.stringify(body)}`, async () => {
      peer.reply = json(body);
      const outcome = use({ check, checkPath, checkValue, checkFailsAs: 'transient' }).send({});
      if (good) assert.deepEqual((await outcome).payload, body);
      else await assert.rejects(outcome, { code: 'PEER_ERROR', kind: 'transient' });
    });
  }
});
