import { toFailure, type Failure, type Scope, type ScopeListener } from '../core';
import { Attempt } from './attempt';
import { verdict } from './breaker';
import { tell, tellAttempt, tellSuccess } from './events';
import { bulkheadFull, circuitOpen, outcome, rateLimited, timedOut } from './failures';
import type { CallOptions, Pipeline } from './pipeline';
import { backoff, delay, mayRetry } from './retry';

/** A call held back by an open breaker waits at least this long, whatever its back-off says. */
const LEAST_OPEN_WAIT_MS = 100;

/**
 * One call on its way through the pipeline. A small state machine rather than layers of async functions: the success
 * path costs one promise, one listener and one wheel entry. At any time it either waits (`#leave` ends the wait) or
 * runs an attempt.
 */
export class Run<T> implements ScopeListener {
  readonly #pipeline: Pipeline;
  readonly #fn: (call: Attempt) => Promise<T>;
  readonly #options: CallOptions;
  readonly #resolve: (value: T) => void;
  readonly #reject: (failure: Failure) => void;
  /** Owned by the pipeline's roster. */
  seat = -1;
  /** Owned by the node's scope, which the call listens to. */
  scope: Scope | undefined;
  previous: ScopeListener | undefined;
  next: ScopeListener | undefined;
  #leave: (() => void) | undefined;
  #attempt: Attempt | undefined;
  #attempts = 0;
  #entered = false;
  #hasToken = false;
  #done = false;

  constructor(
    pipeline: Pipeline,
    fn: (call: Attempt) => Promise<T>,
    options: CallOptions,
    resolve: (value: T) => void,
    reject: (failure: Failure) => void,
  ) {
    this.#pipeline = pipeline;
    this.#fn = fn;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    const { bulkhead, clock, runs } = this.#pipeline;
    runs.add(this);
    this.#options.scope.add(this);
    if (!bulkhead) return this.#proceed(clock.mono());
    if (bulkhead.tryEnter()) {
      this.#entered = true;
      return this.#proceed(clock.mono());
    }
    this.#leave = bulkhead.wait(() => {
      this.#entered = true;
      this.#again();
    });
    if (this.#leave) return;
    tell(this.#listeners(), 'bulkheadFull');
    this.#end(bulkheadFull(this.#pipeline.name, bulkhead.running, bulkhead.waiting));
  }

  /** Ends the call at once, wherever it is. */
  ended(reason: Failure): void {
    if (this.#done) return;
    this.#leave?.();
    const attempt = this.#attempt;
    if (attempt && !attempt.over) {
      this.#pipeline.breaker?.ignore(attempt.permit);
      attempt.abort(reason);
    }
    this.#finish();
    this.#reject(reason);
  }

  /** Pause, rate limit, breaker; then the attempt. */
  #proceed(now: number): void {
    const { pauses, rateLimit, breaker } = this.#pipeline;
    if (pauses.until > now) {
      this.#leave = pauses.wait(() => this.#again());
      return;
    }
    if (rateLimit && !this.#hasToken) {
      if (!rateLimit.tryTake(now)) return this.#awaitToken(now);
      this.#hasToken = true;
    }
    const permit = breaker ? breaker.enter(now) : 1;
    this.#hasToken = false;
    if (permit > 0) return this.#launch(now, permit);
    this.#attempts += 1;
    this.#decide(circuitOpen(this.#pipeline.name, breaker?.remainingMs ?? 0));
  }

  #again(): void {
    this.#leave = undefined;
    this.#proceed(this.#pipeline.clock.mono());
  }

  #awaitToken(now: number): void {
    const { rateLimit, name } = this.#pipeline;
    if (!rateLimit) return;
    const waitMs = rateLimit.expectedWait(now);
    this.#leave = rateLimit.wait(now, () => {
      this.#hasToken = true;
      this.#again();
    });
    tell(this.#listeners(), 'rateLimited', waitMs);
    if (this.#leave) return;
    this.#attempts += 1;
    this.#decide(rateLimited(name, waitMs));
  }

  #launch(now: number, permit: number): void {
    const { timeoutMs, key, listener } = this.#options;
    this.#attempts += 1;
    const attempt = new Attempt(this.#attempts, key, now, permit);
    this.#attempt = attempt;
    tellAttempt(this.#pipeline.listener, attempt.attempt);
    tellAttempt(listener, attempt.attempt);
    if (timeoutMs > 0)
      attempt.timer = this.#pipeline.wheel.add(timeoutMs, () => this.#timedOut(attempt), now);
    let result: Promise<T>;
    try {
      result = Promise.resolve(this.#fn(attempt));
    } catch (error) {
      result = Promise.reject(error);
    }
    // Always both handlers: an attempt that fails after its timeout must not become an unhandled rejection.
    result.then(
      (value) => this.#succeeded(attempt, value),
      (error: unknown) => this.#failed(attempt, error),
    );
  }

  #succeeded(attempt: Attempt, value: T): void {
    if (attempt.over) return;
    attempt.end();
    const { breaker, listener, clock } = this.#pipeline;
    const own = this.#options.listener;
    const now = listener || own || breaker?.timed ? clock.mono() : attempt.startedAt;
    breaker?.succeed(attempt.permit, now);
    this.#finish();
    tellSuccess(listener, now - attempt.startedAt, now);
    tellSuccess(own, now - attempt.startedAt, now);
    this.#resolve(value);
  }

  #timedOut(attempt: Attempt): void {
    if (attempt.over) return;
    const { effect, timeoutMs } = this.#options;
    const failure = timedOut(this.#pipeline.name, timeoutMs, effect, attempt.reached);
    attempt.abort(failure);
    tell(this.#listeners(), 'timeout');
    this.#judge(attempt, failure);
  }

  #failed(attempt: Attempt, error: unknown): void {
    if (attempt.over) return;
    attempt.end();
    this.#judge(attempt, toFailure(error));
  }

  #judge(attempt: Attempt, failure: Failure): void {
    const { breaker, clock, name } = this.#pipeline;
    const said = verdict(failure);
    if (said === 'failure') breaker?.fail(attempt.permit, clock.mono());
    else if (said === 'success') breaker?.succeed(attempt.permit, clock.mono());
    else breaker?.ignore(attempt.permit);
    this.#decide(outcome(name, failure, this.#options.effect));
  }

  #decide(failure: Failure): void {
    const { effect, retry } = this.#options;
    const throttled = failure.kind === 'throttled';
    const told = this.#waitAfter(failure);
    const waitMs = throttled ? this.#pipeline.pause(told) : told;
    const again = retry.strategy !== 'none' && this.#attempts < retry.attempts && mayRetry(failure, effect);
    tell(this.#listeners(), 'failure', failure, again);
    if (this.#done) return; // a listener closed the connection
    if (!again) return this.#end(failure);
    tell(this.#listeners(), 'retry', waitMs, this.#attempts + 1);
    // The pause makes a throttled call wait, together with all others.
    if (throttled) return this.#proceed(this.#pipeline.clock.mono());
    const timer = this.#pipeline.clock.timer(waitMs, () => this.#again());
    this.#leave = () => timer.cancel();
  }

  #waitAfter(failure: Failure): number {
    const { retry } = this.#options;
    // Told to wait for nothing is told nothing: the back-off keeps a throttled call out of a hot loop.
    if (failure.kind === 'throttled' && failure.retryAfterMs) return failure.retryAfterMs;
    // Without jitter: an open breaker must not be asked again before the back-off is over.
    if (failure.code === 'CIRCUIT_OPEN') return Math.max(LEAST_OPEN_WAIT_MS, backoff(this.#attempts, retry));
    return delay(this.#attempts, retry, this.#pipeline.random);
  }

  #listeners(): readonly [Pipeline['listener'], CallOptions['listener']] {
    return [this.#pipeline.listener, this.#options.listener];
  }

  #end(failure: Failure): void {
    this.#finish();
    this.#reject(failure);
  }

  #finish(): void {
    this.#done = true;
    this.#options.scope.remove(this);
    this.#leave = undefined;
    this.#attempt = undefined;
    this.#pipeline.runs.remove(this);
    if (this.#entered) this.#pipeline.bulkhead?.leave();
    this.#entered = false;
  }
}
