import assert from 'node:assert/strict';
import { failureOf } from '../../../test/helpers/failure-of';
import type { HttpRequest } from '../types';
import { HttpFailure, jsonBody } from './body';

const MEGABYTE = Buffer.alloc(1024 * 1024, 32);

/** A request whose body nobody has read yet. */
function unread(parts: Iterable<Buffer>, headers: Record<string, string> = {}): HttpRequest {
  return {
    method: 'POST',
    url: '/',
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    [Symbol.asyncIterator]: async function* () {
      yield* parts;
    },
  };
}

describe('dead letters: bodies of requests', () => {
  it('are read where Node-RED has not read them', async () => {
    const parts = [Buffer.from('{"a":"'), Buffer.from('é"}').subarray(0, 1), Buffer.from('é"}').subarray(1)];
    assert.deepEqual(await jsonBody(unread(parts)), { a: 'é' });
    const read = { ...unread([]), body: { b: 1 }, _body: true };
    assert.deepEqual(await jsonBody(read), { b: 1 });
    assert.match((await failureOf(jsonBody(unread([Buffer.from('{"a":')])))).message, /not JSON/);
  });

  it('are bounded, whatever the request says of its length', async () => {
    let given = 0;
    function* endless(): Generator<Buffer> {
      for (;;) {
        given += 1;
        yield MEGABYTE;
      }
    }
    for (const headers of [{}, { 'content-length': '1' }, { 'content-length': String(2 ** 40) }]) {
      const failure = await failureOf(jsonBody(unread(endless(), headers)));
      assert.ok(failure instanceof HttpFailure && failure.status === 413);
    }
    assert.equal(given, 42, 'twice 21 MB, and nothing of what says that it is too long');
  });
});
