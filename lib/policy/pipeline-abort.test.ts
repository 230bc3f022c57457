import assert from 'node:assert/strict';
import fc from 'fast-check';
import { settle } from '../../test/helpers/virtual-clock';
import { Failure, Scope, cancelled, isFailure } from '../core';
import { ResultCache } from './cache';
import type { CallOptions, SharedPolicies } from './pipeline';
import { assertClean, breaker, createBed, fixed, never, rateLimit, type Bed } from './pipeline-bed.test';

/** One kind of wait: how to bring a call into it, and how to end what holds it there. */
interface Wait {
  readonly name: string;
  readonly shared?: Partial<SharedPolicies>;
  hold?(bed: Bed, holder: Scope): void;
  readonly options?: (bed: Bed) => Partial<CallOptions>;
  readonly fn?: () => Promise<unknown>;
}

const holdForEver = (bed: Bed, scope: Scope, options: Partial<CallOptions> = {}): void =>
  void bed.pipeline.run(never, bed.options({ scope, timeoutMs: 0, ...options })).catch(() => {});

const stores = new WeakMap<Bed, ResultCache>();
function cacheOf(bed: Bed): Partial<CallOptions> {
  const store = stores.get(bed) ?? new ResultCache({ ttlMs: 1000, size: 1 }, bed.clock);
  stores.set(bed, store);
  return { cache: { store, key: 'k' } };
}

const WAITS: readonly Wait[] = [
  { name: 'the running attempt' },
  { name: 'the line of the bulkhead', shared: { bulkhead: { concurrency: 1, queue: 5 } }, hold: holdForEver },
  { name: 'the rate limit', shared: { rateLimit }, hold: holdForEver },
  { name: 'a pause', hold: (bed) => void bed.pipeline.pause(50_000) },
  {
    name: 'the back-off of a retry',
    fn: () => Promise.reject(new Failure('transient', 'X', 'It failed.')),
    options: () => ({ retry: { ...fixed, baseMs: 900_000, maxMs: 900_000 } }),
  },
  {
    name: 'a throttled retry',
    fn: () => Promise.reject(new Failure('throttled', 'THROTTLED', 'Slow down.', { retryAfterMs: 50_000 })),
  },
  {
    name: 'an open breaker',
    shared: { breaker: { ...breaker, failures: 1 } },
    fn: () => Promise.reject(new Failure('transient', 'X', 'It failed.')),
    options: () => ({ retry: { ...fixed, baseMs: 9000, maxMs: 9000 } }),
  },
  {
    name: "another call's flight to the cache",
    hold: (bed, scope) => holdForEver(bed, scope, cacheOf(bed)),
    options: cacheOf,
  },
];

function begin(wait: Wait): { bed: Bed; holder: Scope; ended: () => unknown } {
  const bed = createBed(wait.shared);
  const holder = new Scope();
  wait.hold?.(bed, holder);
  let end: unknown;
  bed.pipeline.run(wait.fn ?? never, bed.options(wait.options?.(bed))).then(
    () => (end = 'success'),
    (error: unknown) => (end = error),
  );
  return { bed, holder, ended: () => end };
}

describe('policy: abort', () => {
  for (const wait of WAITS) {
    it(`ends ${wait.name} at once and leaves nothing behind`, async () => {
      const { bed, holder, ended } = begin(wait);
      await bed.clock.advance(500);
      assert.equal(ended(), undefined, 'the call waits');
      const reason = cancelled('The node stops.');
      bed.scope.abort(reason);
      await settle();
      assert.equal(ended(), reason);
      assert.equal(bed.scope.listenerCount, 0);
      holder.abort();
      await settle();
      assertClean(bed);
    });

    it(`ends ${wait.name} at once when the connection closes`, async () => {
      const { bed, ended } = begin(wait);
      await bed.clock.advance(500);
      bed.pipeline.close();
      await settle();
      const end = ended();
      assert.ok(isFailure(end) && end.kind === 'cancelled');
      assertClean(bed);
      await assert.rejects(
        bed.pipeline.run(async () => 1, bed.options()),
        { kind: 'cancelled' },
      );
    });
  }

  it('refuses a call whose scope has ended, without trying', async () => {
    const bed = createBed();
    bed.scope.abort();
    await assert.rejects(
      bed.pipeline.run(async () => 1, bed.options()),
      { kind: 'cancelled' },
    );
    assert.deepEqual(bed.events, []);
  });

  it('aborts the scope and the signal of the running attempt', async () => {
    const bed = createBed();
    const seen: string[] = [];
    const run = bed.pipeline.run((call) => {
      call.scope.onAbort((reason) => seen.push(reason.code));
      call.scope.signal.addEventListener('abort', () => seen.push('signal'));
      return never();
    }, bed.options());
    const rejected = assert.rejects(run, { kind: 'cancelled' });
    bed.scope.abort();
    await rejected;
    assert.deepEqual(seen, ['CANCELLED', 'signal']);
  });

  it('is not disturbed by a function that ends its own scope while it starts', async () => {
    const bed = createBed({ bulkhead: { concurrency: 1, queue: 0 } });
    const run = bed.pipeline.run(() => {
      bed.scope.abort();
      throw new Error('too late to matter');
    }, bed.options());
    await assert.rejects(run, { kind: 'cancelled' });
    await settle();
    assertClean(bed);
  });

  it('frees the probe of a half-open breaker whose call was cancelled', async () => {
    const bed = createBed({ breaker: { ...breaker, failures: 1 } });
    const none = { retry: { ...fixed, strategy: 'none' } } as const;
    await assert.rejects(
      bed.pipeline.run(() => Promise.reject(new Failure('transient', 'X', 'x')), bed.options(none)),
    );
    await bed.clock.advance(5000);
    const scope = new Scope();
    const probe = assert.rejects(bed.pipeline.run(never, bed.options({ ...none, scope })), {
      kind: 'cancelled',
    });
    scope.abort();
    await probe;
    assert.equal(await bed.pipeline.run(async () => 1, bed.options(none)), 1);
    assert.equal(bed.pipeline.breaker?.state, 'closed');
  });

  it('settles every call exactly once and leaves nothing behind, whatever happens', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('good', 'bad', 'slow', 'throttled', 'throws', 'once') },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 3000 }) },
      { weight: 1, arbitrary: fc.constantFrom('abort', 'jump') },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const shared = {
          breaker,
          rateLimit: { ...rateLimit, burst: 3 },
          bulkhead: { concurrency: 2, queue: 3 },
        };
        const bed = createBed(shared);
        const scopes: Scope[] = [];
        let running = 0;
        let started = 0;
        let settled = 0;
        const fn = (kind: string) => async (): Promise<void> => {
          running += 1;
          assert.ok(running <= 2, 'never more than the bulkhead allows');
          try {
            if (kind === 'slow') await new Promise<void>((resolve) => bed.clock.timer(700, resolve));
            if (kind === 'bad' || kind === 'once') throw new Failure('disconnected', 'CONNECTION_LOST', 'x');
            if (kind === 'throttled') throw new Failure('throttled', 'THROTTLED', 'x', { retryAfterMs: 300 });
            if (kind === 'throws') throw new Error('a bug');
          } finally {
            running -= 1;
          }
        };
        for (const each of steps) {
          if (typeof each === 'number') await bed.clock.advance(each);
          else if (each === 'abort') scopes.shift()?.abort();
          else if (each === 'jump') bed.clock.jump(-86_400_000);
          else {
            const scope = new Scope();
            scopes.push(scope);
            started += 1;
            const options = bed.options({
              scope,
              timeoutMs: 1000,
              effect: each === 'once' ? 'once' : 'idempotent',
            });
            const done = (): void => void (settled += 1);
            bed.pipeline.run(fn(each), options).then(done, (error: unknown) => {
              assert.ok(isFailure(error));
              done();
            });
          }
        }
        await bed.clock.advance(600_000);
        assert.equal(settled, started);
        for (const scope of scopes) assert.equal(scope.listenerCount, 0);
        assertClean(bed);
      }),
      { numRuns: 60 },
    );
  });
});
