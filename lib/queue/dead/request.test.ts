import assert from 'node:assert/strict';
import { isFailure } from '../../core';
import { readRequest, type DeadAction } from './request';

const NOW = Date.UTC(2026, 0, 2);
const read = (action: DeadAction, raw: unknown): unknown => readRequest(action, raw, NOW);
const refuses = (action: DeadAction, raw: unknown, sentence: RegExp): void =>
  void assert.throws(
    () => read(action, raw),
    (error) => isFailure(error) && error.code === 'BAD_MESSAGE' && sentence.test(error.message),
    JSON.stringify(raw),
  );

describe('dead letters: requests', () => {
  it('reads every condition, as JSON and as the texts of a query', () => {
    const filter = { queue: 'q', node: 'n1', code: 'EXPIRED', kind: 'rejected', id: 'a', key: '' };
    const times = { since: NOW - 3_600_000, before: NOW };
    assert.deepEqual(read('list', { ...filter, since: '1h', before: '2026-01-02T00:00:00Z', limit: '500' }), {
      action: 'list',
      filter: { ...filter, ...times },
      after: 0,
      limit: 500,
    });
    assert.deepEqual(read('purge', { numbers: '3, 1,3', ...times }), {
      action: 'purge',
      filter: { numbers: [3, 1], ...times },
    });
    assert.deepEqual(read('show', { number: '7' }), { action: 'show', number: 7 });
    assert.deepEqual(read('replay', { numbers: 7, message: { payload: 1 } }), {
      action: 'replay',
      filter: { numbers: [7] },
      message: '{"payload":1}',
    });
  });

  it('never takes a mistyped condition for all', () => {
    for (const action of ['list', 'replay', 'purge'] as const) {
      refuses(action, { que: 'orders' }, /"que" is not a condition; known are numbers, /);
      refuses(action, { '\u001b[2J': 'x' }, /\\u001b/);
      refuses(action, JSON.parse('{"__proto__":{"all":true}}'), /"__proto__" is not a condition/);
    }
  });

  it('changes nothing without a condition or the word all', () => {
    for (const action of ['replay', 'purge'] as const) {
      refuses(action, {}, /at least one condition/);
      refuses(action, { all: false }, /at least one condition/);
      refuses(action, { all: 'true' }, /"all" must be true or false/);
      refuses(action, { all: true, queue: 'q' }, /not both/);
      refuses(action, { numbers: [] }, /1 to 10000/);
      assert.deepEqual((read(action, { all: true }) as { filter: object }).filter, {});
    }
    // Own properties only.
    refuses('purge', Object.create({ all: true }), /at least one condition/);
  });

  it('refuses values out of bounds and of the wrong shape', () => {
    refuses('list', { limit: 501 }, /"limit" must be a whole number from 1 to 500, not 501/);
    refuses('list', { limit: 1.5 }, /whole number/);
    refuses('list', { after: -1 }, /"after"/);
    refuses('list', { queue: '' }, /1 to 100 characters/);
    refuses('list', { key: 'k'.repeat(201) }, /0 to 200/);
    refuses('list', { queue: { $ne: 1 } }, /not object/);
    refuses('list', { kind: 'bad' }, /one of transient/);
    refuses('list', { since: 'yesterday' }, /"since" must be a time/);
    refuses('list', { numbers: [0] }, /"numbers"/);
    refuses('list', { numbers: '1,two' }, /"two"/);
    refuses('list', { numbers: Array.from({ length: 10_001 }, (_, i) => i + 1) }, /1 to 10000/);
    refuses('show', { number: '9'.repeat(17) }, /"number"/);
    refuses('show', { number: 1, queue: 'q' }, /alone/);
    for (const raw of [null, [], 'all', 7]) refuses('purge', raw, /must be an object/);
  });

  it('edits exactly one letter', () => {
    refuses('replay', { numbers: [1, 2], message: '{}' }, /exactly one/);
    refuses('replay', { queue: 'q', message: '{}' }, /exactly one/);
    refuses('replay', { all: true, message: '{}' }, /exactly one/);
    refuses('replay', { numbers: [1], message: [1] }, /JSON text, or an object/);
  });
});
