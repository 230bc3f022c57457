import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { Failure } from '../core';
import { Redactor } from '../secrets/redact';
import { applyPatch, publicFailure, recordFailure } from './outcome';

describe('outcome of a message', () => {
  it('lets no secret leave through message, details, stack or cause', () => {
    const redactor = new Redactor();
    redactor.add('canary-31415');
    const cause = Object.assign(new Error('GET https://u:canary-31415@host failed'), {
      config: { headers: { Authorization: 'Bearer canary-31415' } },
    });
    const failure = new Failure('rejected', 'PEER_REJECTED', 'It said canary-31415.', {
      details: { body: 'canary-31415', nested: ['canary-31415'] },
      cause,
    });
    const msg = {};
    const shown = recordFailure(msg, failure, redactor);
    assert.ok(!inspect([shown, shown.stack, shown.cause, msg], { depth: 10 }).includes('canary'));
    assert.match(shown.stack ?? '', /Caused by Error: GET/);
    assert.equal(shown.code, 'PEER_REJECTED');
  });

  it('keeps what the framework decides by', () => {
    const failure = new Failure('throttled', 'THROTTLED', 'Wait.', { reached: false, retryAfterMs: 5 });
    const shown = publicFailure(failure, new Redactor());
    assert.deepEqual(
      [shown.kind, shown.reached, shown.retryAfterMs, shown.retryable],
      ['throttled', false, 5, true],
    );
  });

  it('sets no property that would reach a prototype or rename the message', () => {
    const msg = { _msgid: 'm' };
    applyPatch(
      msg,
      JSON.parse('{"__proto__":{"x":1},"constructor":1,"_msgid":"other","payload":2}') as object as never,
    );
    assert.deepEqual(Object.keys(msg), ['_msgid', 'payload']);
    assert.equal(msg._msgid, 'm');
    assert.equal((msg as { x?: unknown }).x, undefined);
  });
});
