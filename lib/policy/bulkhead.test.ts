import assert from 'node:assert/strict';
import fc from 'fast-check';
import { settle } from '../../test/helpers/virtual-clock';
import { Bulkhead } from './bulkhead';

describe('policy: bulkhead', () => {
  it('serves in the order of arrival and refuses when the line is full', async () => {
    const bulkhead = new Bulkhead({ concurrency: 1, queue: 2 });
    const ran: string[] = [];
    assert.equal(bulkhead.tryEnter(), true);
    assert.equal(bulkhead.tryEnter(), false);
    assert.ok(bulkhead.wait(() => ran.push('a')));
    assert.ok(bulkhead.wait(() => ran.push('b')));
    assert.equal(
      bulkhead.wait(() => ran.push('c')),
      undefined,
    );
    bulkhead.leave();
    bulkhead.leave();
    await settle();
    assert.deepEqual(ran, ['a', 'b']);
    bulkhead.leave();
    assert.equal(bulkhead.running, 0);
  });

  it('gives back a place whose owner left between the grant and its turn', async () => {
    const bulkhead = new Bulkhead({ concurrency: 1, queue: 2 });
    bulkhead.tryEnter();
    let ran = 0;
    const cancel = bulkhead.wait(() => (ran += 1));
    bulkhead.leave();
    cancel?.();
    await settle();
    assert.equal(ran, 0);
    assert.equal(bulkhead.running, 0);
  });

  it('never runs more than its concurrency, nor lets more wait than its queue, and loses no place', async () => {
    const action = fc.record({
      type: fc.constantFrom('call', 'call', 'leave', 'cancel', 'turn'),
      which: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.nat(4),
        fc.array(action, { maxLength: 50 }),
        async (concurrency, queue, actions) => {
          const bulkhead = new Bulkhead({ concurrency, queue });
          let inside = 0;
          const cancels = new Set<() => void>();
          for (const { type, which } of actions) {
            if (type === 'turn') await settle();
            if (type === 'leave' && inside > 0) {
              inside -= 1;
              bulkhead.leave();
            }
            if (type === 'cancel') {
              const cancel = [...cancels][which % Math.max(1, cancels.size)];
              if (cancel) cancels.delete(cancel);
              cancel?.();
            }
            if (type === 'call') {
              if (bulkhead.tryEnter()) inside += 1;
              else {
                const cancel = bulkhead.wait(() => {
                  if (cancel) cancels.delete(cancel);
                  inside += 1;
                });
                if (cancel) cancels.add(cancel);
              }
            }
            assert.ok(inside <= bulkhead.running && bulkhead.running <= concurrency);
            assert.ok(bulkhead.waiting <= queue);
          }
          await settle();
          assert.equal(bulkhead.running, inside);
          for (; inside > 0; await settle()) {
            inside -= 1;
            bulkhead.leave();
          }
          assert.equal(bulkhead.running, 0);
          assert.equal(bulkhead.waiting, 0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
