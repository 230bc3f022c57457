import assert from 'node:assert/strict';
import { settle } from '../../test/helpers/virtual-clock';
import { Failure, Scope, toFailure, type Effect } from '../core';
import { ResultCache } from './cache';
import { assertClean, breaker, createBed, fixed, never, rateLimit } from './pipeline-bed.test';

const failing = (): Promise<never> => Promise.reject(new Failure('transient', 'X', 'It failed.'));

describe('policy: pipeline, what its calls share', () => {
  it('keeps to the rate limit per attempt, and rejects when told to', async () => {
    const bed = createBed({ rateLimit });
    const at: number[] = [];
    const runs = [1, 2, 3].map(() => bed.pipeline.run(async () => at.push(bed.clock.mono()), bed.options()));
    await bed.clock.advance(2000);
    await Promise.all(runs);
    assert.deepEqual(at, [0, 1000, 2000]);
    const strict = createBed({ rateLimit: { ...rateLimit, whenEmpty: 'reject' } });
    const none = strict.options({ retry: { ...fixed, strategy: 'none' } });
    await strict.pipeline.run(async () => 1, none);
    await assert.rejects(
      strict.pipeline.run(async () => 1, none),
      { code: 'RATE_LIMITED', reached: false },
    );
    assertClean(strict);
  });

  it('bounds what runs and what waits; the first in line goes first', async () => {
    const bed = createBed({ bulkhead: { concurrency: 2, queue: 1 } });
    const ends: (() => void)[] = [];
    const hold = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
    const runs = [1, 2, 3].map(() => bed.pipeline.run(hold, bed.options({ timeoutMs: 0 })));
    await assert.rejects(bed.pipeline.run(hold, bed.options()), { code: 'BULKHEAD_FULL', reached: false });
    assert.equal(ends.length, 2);
    ends[0]?.();
    await settle();
    assert.equal(ends.length, 3);
    for (const end of ends) end();
    await Promise.all(runs);
    assertClean(bed);
  });

  it('passes a long line of calls that fail at once without a deep stack', async () => {
    const bed = createBed({ bulkhead: { concurrency: 1, queue: 20_000 }, breaker });
    const none = bed.options({ retry: { ...fixed, strategy: 'none' } });
    const runs = Array.from({ length: 20_000 }, () =>
      bed.pipeline.run(failing, none).catch((error: unknown) => toFailure(error).code),
    );
    const codes = await Promise.all(runs);
    assert.equal(codes.filter((code) => code === 'CIRCUIT_OPEN').length, 19_997);
    assertClean(bed);
  });

  it('answers safe calls from the cache before any other policy', async () => {
    const bed = createBed({ rateLimit: { ...rateLimit, whenEmpty: 'reject' } });
    const store = new ResultCache({ ttlMs: 1000, size: 10 }, bed.clock);
    let calls = 0;
    const run = (effect: Effect): Promise<number> =>
      bed.pipeline.run(async () => (calls += 1), bed.options({ effect, cache: { store, key: 'k' } }));
    assert.deepEqual(await Promise.all([run('safe'), run('safe')]), [1, 1]);
    assert.equal(await run('safe'), 1);
    const count = (event: string): number => bed.events.filter((each) => each === event).length;
    assert.deepEqual(['cache false', 'attempt 1', 'cache true'].map(count), [1, 1, 2]);
    await bed.clock.advance(1000);
    assert.equal(await run('idempotent'), 2);
  });

  it('starts nothing for a call that ended in the moment in which the one it waited for was cancelled', async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      const bed = createBed();
      const store = new ResultCache({ ttlMs: 1000, size: 10 }, bed.clock);
      const [first, second] = [new Scope(), new Scope()];
      const cache = { store, key: 'k' };
      let late = false;
      const leading = bed.pipeline.run(never, bed.options({ scope: first, cache }));
      const following = bed.pipeline.run(
        () => {
          late ||= second.aborted;
          return never();
        },
        bed.options({ scope: second, cache }),
      );
      const ends = Promise.allSettled([leading, following]);
      await settle();
      first.abort();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      second.abort();
      const [, end] = await ends;
      assert.equal(end.status === 'rejected' && toFailure(end.reason).code, 'CANCELLED');
      assert.equal(late, false, `started after its end (${turns} turns)`);
      assert.equal(bed.pipeline.runs.size, 0);
    }
  });

  it('takes a token for each attempt', async () => {
    const bed = createBed({ rateLimit });
    const at: number[] = [];
    const run = bed.pipeline.run(() => {
      at.push(bed.clock.mono());
      return failing();
    }, bed.options());
    const rejected = assert.rejects(run, { code: 'X' });
    await bed.clock.advance(5000);
    await rejected;
    assert.deepEqual(at, [0, 1000, 2000]);
    assertClean(bed);
  });

  it('lets nobody out of the rate limit into a pause', async () => {
    const bed = createBed({ rateLimit });
    const at: number[] = [];
    const call = (): Promise<unknown> =>
      bed.pipeline.run(async () => at.push(bed.clock.mono()), bed.options());
    const runs = [call(), call()];
    await bed.clock.advance(500);
    bed.pipeline.pause(3000);
    await bed.clock.advance(10_000);
    await Promise.all(runs);
    assert.deepEqual(at, [0, 3500]);
    assertClean(bed);
  });

  it('lengthens a pause and never shortens it', async () => {
    const bed = createBed();
    bed.pipeline.pause(1000);
    let at = 0;
    const run = bed.pipeline.run(async () => (at = bed.clock.mono()), bed.options());
    bed.pipeline.pause(5000);
    bed.pipeline.pause(10);
    await bed.clock.advance(10_000);
    await run;
    assert.equal(at, 5000);
  });

  it('wakes those who wait for a pause only at its last end', async () => {
    const bed = createBed();
    bed.pipeline.pauses.pause(1000);
    let woken = 0;
    bed.pipeline.pauses.wait(() => (woken = bed.clock.mono()));
    bed.pipeline.pauses.pause(5000);
    await bed.clock.advance(10_000);
    assert.equal(woken, 5000);
  });

  it('stops a call whose failure made a listener close the connection', async () => {
    const bed = createBed();
    const listener = { failure: () => bed.pipeline.close() };
    await assert.rejects(bed.pipeline.run(failing, bed.options({ listener })), { kind: 'cancelled' });
    assertClean(bed);
  });
});
