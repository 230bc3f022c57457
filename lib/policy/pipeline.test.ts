import assert from 'node:assert/strict';
import { settle } from '../../test/helpers/virtual-clock';
import { Failure, isFailure, type Effect, type FailureKind, type FailureOptions } from '../core';
import { assertClean, breaker, createBed, fixed, never, rateLimit, type Bed } from './pipeline-bed.test';

const fail =
  (kind: FailureKind, code = 'X', options: FailureOptions = {}) =>
  (): Promise<never> =>
    Promise.reject(new Failure(kind, code, 'It failed.', options));

/** Runs a call to its end, moving time on as it waits. Returns its failure and how often it was tried. */
async function tried(
  bed: Bed,
  fn: () => Promise<unknown>,
  effect: Effect = 'safe',
): Promise<{ failure: Failure | undefined; attempts: number }> {
  let attempts = 0;
  let failure: Failure | undefined;
  const run = bed.pipeline
    .run(() => {
      attempts += 1;
      return fn();
    }, bed.options({ effect }))
    .catch((error: unknown) => {
      assert.ok(isFailure(error));
      failure = error;
    });
  await bed.clock.advance(60_000);
  await run;
  return { failure, attempts };
}

describe('policy: pipeline', () => {
  it('gives the result, the attempt and the key, and leaves nothing behind', async () => {
    const bed = createBed({ breaker, rateLimit, bulkhead: { concurrency: 1, queue: 0 } });
    const result = await bed.pipeline.run(async (call) => `${call.attempt} ${call.key}`, bed.options());
    assert.equal(result, '1 key');
    assert.deepEqual(bed.events, ['attempt 1', 'success']);
    assertClean(bed);
  });

  it('retries what may pass and nothing else', async () => {
    const counts: string[] = [];
    for (const kind of [
      'transient',
      'disconnected',
      'rejected',
      'auth',
      'config',
      'cancelled',
      'unclassified',
    ] as const) {
      const { failure, attempts } = await tried(createBed(), fail(kind));
      counts.push(`${kind} ${attempts} ${failure?.code}`);
    }
    assert.deepEqual(counts, [
      'transient 3 X',
      'disconnected 3 X',
      'rejected 1 X',
      'auth 1 X',
      'config 1 X',
      'cancelled 1 X',
      'unclassified 1 X',
    ]);
  });

  it('tells each step', async () => {
    const bed = createBed();
    let n = 0;
    const flaky = (): Promise<number> => (n++ < 2 ? fail('transient')() : Promise.resolve(n));
    await tried(bed, flaky);
    assert.deepEqual(bed.events, [
      ...['attempt 1', 'failure X true', 'retry 100 2'],
      ...['attempt 2', 'failure X true', 'retry 100 3'],
      ...['attempt 3', 'success'],
    ]);
    assertClean(bed);
  });

  it('wraps what is thrown, also at once, and never repeats it', async () => {
    const bed = createBed();
    const { failure, attempts } = await tried(bed, () => {
      throw new TypeError('x is not a function');
    });
    assert.equal(failure?.kind, 'unclassified');
    assert.equal(attempts, 1);
    assertClean(bed);
  });

  it('ends an attempt at its timeout, tells the called function, and tries again', async () => {
    const bed = createBed();
    const aborted: string[] = [];
    const run = bed.pipeline.run((call) => {
      call.scope.onAbort((reason) => aborted.push(`${call.attempt} ${reason.code}`));
      return call.attempt < 3 ? never() : Promise.resolve('late but well');
    }, bed.options());
    await bed.clock.advance(999);
    assert.deepEqual(aborted, []);
    await bed.clock.advance(5000);
    assert.equal(await run, 'late but well');
    assert.deepEqual(aborted, ['1 CALL_TIMEOUT', '2 CALL_TIMEOUT']);
    assertClean(bed);
  });

  it('hands an aborted scope to a function that asks for it only after its timeout', async () => {
    const bed = createBed();
    let late: boolean | undefined;
    const run = bed.pipeline.run(
      async (call) => {
        await new Promise<void>((resolve) => bed.clock.timer(2000, resolve));
        late = call.scope.aborted;
      },
      bed.options({ retry: { ...fixed, strategy: 'none' } }),
    );
    const rejected = assert.rejects(run, { code: 'CALL_TIMEOUT' });
    await bed.clock.advance(3000);
    await rejected;
    assert.equal(late, true);
  });

  it('swallows what an attempt says after its timeout', async () => {
    const bed = createBed();
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      const run = bed.pipeline.run(
        (call) =>
          new Promise<string>((resolve, reject) => {
            bed.clock.timer(5000, () =>
              call.attempt === 1 ? reject(new Error('late')) : resolve('too late'),
            );
          }),
        bed.options({ retry: { ...fixed, attempts: 2 } }),
      );
      const rejected = assert.rejects(run, { code: 'CALL_TIMEOUT' });
      await bed.clock.advance(20_000);
      await rejected;
      await settle();
      assert.deepEqual(unhandled, []);
      assert.equal(bed.events.includes('success'), false);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it('never repeats a call that must not be repeated and may have arrived', async () => {
    const timeout = await tried(createBed(), never, 'once');
    assert.deepEqual(
      [timeout.attempts, timeout.failure?.code, timeout.failure?.retryable],
      [1, 'OUTCOME_UNKNOWN', false],
    );
    const lost = await tried(createBed(), fail('disconnected', 'CONNECTION_LOST'), 'once');
    assert.deepEqual(
      [lost.attempts, lost.failure?.code, lost.failure?.kind],
      [1, 'OUTCOME_UNKNOWN', 'transient'],
    );
    assert.equal(lost.failure?.details.code, 'CONNECTION_LOST');
    const answered = await tried(createBed(), fail('transient', 'PEER_ERROR'), 'once');
    assert.deepEqual([answered.attempts, answered.failure?.code], [1, 'PEER_ERROR']);
    const refused = await tried(
      createBed(),
      fail('disconnected', 'CONNECTION_REFUSED', { reached: false }),
      'once',
    );
    assert.deepEqual([refused.attempts, refused.failure?.code], [3, 'CONNECTION_REFUSED']);
    const throttled = await tried(createBed(), fail('throttled', 'THROTTLED', { retryAfterMs: 10 }), 'once');
    assert.deepEqual([throttled.attempts, throttled.failure?.code], [3, 'THROTTLED']);
  });

  it('repeats a timed-out once-call that says it had not been sent', async () => {
    const bed = createBed();
    let attempts = 0;
    const run = bed.pipeline.run(
      (call) => {
        attempts += 1;
        call.reached = false;
        return never();
      },
      bed.options({ effect: 'once' }),
    );
    const rejected = assert.rejects(run, { code: 'CALL_TIMEOUT', reached: false });
    await bed.clock.advance(10_000);
    await rejected;
    assert.equal(attempts, 3);
  });

  it('pauses the whole connection for as long as a throttling peer asks, up to the cap', async () => {
    const bed = createBed({ pauseCapMs: 30_000 });
    const sent: string[] = [];
    const call = (name: string, retryAfterMs?: number): Promise<unknown> =>
      bed.pipeline.run(async ({ attempt }) => {
        sent.push(`${name}${attempt} ${bed.clock.mono()}`);
        if (attempt === 1 && retryAfterMs) await fail('throttled', 'THROTTLED', { retryAfterMs })();
      }, bed.options());
    const first = call('a', 20_000);
    await settle();
    const second = call('b');
    await bed.clock.advance(19_999);
    assert.deepEqual(sent, ['a1 0']);
    await bed.clock.advance(1);
    await Promise.all([first, second]);
    assert.deepEqual(sent.slice(1).sort(), ['a2 20000', 'b1 20000']);
    const third = call('c', 86_400_000);
    await bed.clock.advance(30_000);
    await third;
    assert.equal(sent.at(-1), 'c2 50000');
    assertClean(bed);
  });

  it('pauses for others even when the throttled call itself is not retried', async () => {
    const bed = createBed();
    const none = bed.options({ retry: { ...fixed, strategy: 'none' } });
    await assert.rejects(bed.pipeline.run(fail('throttled', 'THROTTLED', { retryAfterMs: 5000 }), none));
    let ran = false;
    const next = bed.pipeline.run(async () => (ran = true), none);
    await bed.clock.advance(4999);
    assert.equal(ran, false);
    await bed.clock.advance(1);
    await next;
  });

  it('does not ask a peer in a hot loop that says "retry after 0"', async () => {
    const bed = createBed();
    const { attempts } = await tried(bed, fail('throttled', 'THROTTLED', { retryAfterMs: 0 }));
    assert.equal(attempts, 3);
    assert.deepEqual(
      bed.events.filter((event) => event.startsWith('paused')),
      ['paused 100', 'paused 100', 'paused 100'],
    );
  });

  it('refuses calls while the breaker is open; their retries wait at least their back-off, without jitter', async () => {
    const bed = createBed({ breaker }, () => 0);
    const none = { ...fixed, strategy: 'none' } as const;
    for (let i = 0; i < 3; i += 1) {
      await assert.rejects(bed.pipeline.run(fail('transient'), bed.options({ retry: none })));
    }
    assert.equal(bed.pipeline.breaker?.state, 'open');
    bed.events.length = 0;
    const retry = { strategy: 'exponential', attempts: 3, baseMs: 200, maxMs: 10_000 } as const;
    const run = assert.rejects(
      bed.pipeline.run(async () => 1, bed.options({ retry })),
      {
        code: 'CIRCUIT_OPEN',
        kind: 'transient',
        reached: false,
      },
    );
    await bed.clock.advance(600);
    await run;
    assert.deepEqual(bed.events, [
      ...['failure CIRCUIT_OPEN true', 'retry 200 2', 'failure CIRCUIT_OPEN true', 'retry 400 3'],
      'failure CIRCUIT_OPEN false',
    ]);
    const idle = { ...retry, baseMs: 0, attempts: 2 };
    const quick = assert.rejects(
      bed.pipeline.run(async () => 1, bed.options({ retry: idle })),
      { code: 'CIRCUIT_OPEN' },
    );
    assert.equal(bed.events.at(-1), 'retry 100 2');
    await bed.clock.advance(100);
    await quick;
  });

  it('counts for the breaker per attempt, by kind', async () => {
    const bed = createBed({ breaker });
    await tried(bed, fail('rejected'));
    await tried(bed, fail('auth'));
    await tried(bed, fail('unclassified'));
    assert.equal(bed.events.includes('breaker open'), false);
    await tried(bed, never);
    assert.equal(
      bed.events.filter((event) => event === 'breaker open').length,
      1,
      'three timeouts of one call',
    );
  });

  it('recovers: half-open after its time, closed after a good probe', async () => {
    const bed = createBed({ breaker });
    await tried(bed, fail('transient'));
    await bed.clock.advance(5000);
    await bed.pipeline.run(async () => 1, bed.options());
    assert.deepEqual(
      bed.events.filter((event) => event.startsWith('breaker')),
      ['breaker open', 'breaker half-open', 'breaker closed'],
    );
  });

  it('is never stuck half-open by a probe that does not end', async () => {
    const bed = createBed({ breaker });
    await tried(bed, fail('transient'));
    void bed.pipeline.run(never, bed.options({ timeoutMs: 0 }));
    const none = bed.options({ retry: { ...fixed, strategy: 'none' } });
    await assert.rejects(
      bed.pipeline.run(async () => 1, none),
      { code: 'CIRCUIT_OPEN' },
    );
    await bed.clock.advance(1000);
    assert.equal(await bed.pipeline.run(async () => 1, none), 1);
    assert.equal(bed.pipeline.breaker?.state, 'closed');
    bed.pipeline.close();
  });

  it('is deaf to listeners that throw', async () => {
    const bed = createBed({ breaker, rateLimit });
    const bad = (): never => {
      throw new Error('metrics are broken');
    };
    const listener = { attempt: bad, success: bad, failure: bad, retry: bad, timeout: bad, rateLimited: bad };
    assert.equal(await bed.pipeline.run(async () => 1, bed.options({ listener })), 1);
    const failing = assert.rejects(bed.pipeline.run(fail('transient'), bed.options({ listener })), {
      code: 'X',
    });
    await bed.clock.advance(10_000);
    await failing;
    assertClean(bed);
  });

  it('makes no retry storm when the wall clock jumps', async () => {
    for (const jump of [86_400_000, -86_400_000, 3_600_000, -3_600_000, -Date.UTC(2026, 0, 1)]) {
      const bed = createBed({
        breaker: { ...breaker, failures: 100 },
        rateLimit: { ...rateLimit, requests: 1000 },
      });
      let attempts = 0;
      const run = bed.pipeline.run(
        () => {
          attempts += 1;
          bed.clock.jump(jump);
          return fail('transient')();
        },
        bed.options({ retry: { strategy: 'fixed', attempts: 1000, baseMs: 1000, maxMs: 1000 } }),
      );
      const ended = assert.rejects(run, { kind: 'cancelled' });
      await bed.clock.advance(10_500);
      assert.equal(attempts, 11, `one a second, whatever the wall clock says (${jump})`);
      bed.scope.abort();
      await ended;
      assertClean(bed);
    }
  });
});
