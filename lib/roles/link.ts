/**
 * Keeps one session open: opens it when first needed, notices when it dies, reopens it with jittered
 * back-off, and says truthfully what state it is in.
 */
import { Failure, Scope, type Clock, type Random, type Timer } from '../core';

export type LinkState = 'idle' | 'opening' | 'open' | 'waiting' | 'closed';

export interface LinkView {
  readonly state: LinkState;
  /** Why it is not open; undefined while it is. */
  readonly failure: Failure | undefined;
}

export interface LinkOptions<S> {
  readonly open: (scope: Scope, lost: (error: unknown) => void) => Promise<S>;
  readonly close: (session: S) => Promise<void>;
  /** Names any error; never throws. */
  readonly name: (error: unknown) => Failure;
  readonly clock: Clock;
  readonly random: Random;
  readonly openTimeoutMs: number;
  readonly reopenMaxMs: number;
  readonly onChange: (view: LinkView) => void;
  /** How the peer is called in sentences: `modbus "Boiler"`. */
  readonly peer: string;
}

const FIRST_PAUSE_MS = 1000;
/** A session that lived this long had worked. */
const STABLE_MS = 10_000;
/** After a session that did not, the pause is at most 2^3 s: the peer can be reached after all. */
const MOST_DOUBLINGS = 3;
/** A close that hangs must not hold up a redeploy. */
const CLOSE_LIMIT_MS = 2000;

interface Waiter<S> {
  readonly resolve: (session: S) => void;
  readonly reject: (failure: Failure) => void;
}

export class Link<S> {
  readonly #o: LinkOptions<S>;
  #state: LinkState = 'idle';
  #failure: Failure | undefined;
  #session: { readonly value: S } | undefined;
  #opening: Scope | undefined;
  #timer: Timer | undefined;
  #attempts = 0;
  #openedAt = 0;
  #waiters = new Set<Waiter<S>>();
  #closing: Promise<void>[] = [];

  constructor(options: LinkOptions<S>) {
    this.#o = options;
  }

  get view(): LinkView {
    return { state: this.#state, failure: this.#failure };
  }

  /** The open session, for the fast path. */
  get current(): { readonly value: S } | undefined {
    return this.#session;
  }

  start(): void {
    if (this.#state === 'idle') this.#open();
  }

  /** Waits while the first opening is under way; fails at once when the link is known to be down. */
  session(scope: Scope): Promise<S> {
    if (this.#session) return Promise.resolve(this.#session.value);
    if (this.#state === 'idle') this.#open();
    if (this.#state !== 'opening') return Promise.reject(this.#unavailable());
    return new Promise<S>((resolve, reject) => {
      const off = scope.onAbort((reason) => {
        this.#waiters.delete(waiter);
        reject(reason);
      });
      const waiter: Waiter<S> = {
        resolve: (session) => {
          off();
          resolve(session);
        },
        reject: (failure) => {
          off();
          reject(failure);
        },
      };
      if (!scope.aborted) this.#waiters.add(waiter);
    });
  }

  /** The given session is dead. Reports about an older session are ignored. */
  lost(session: S, error: unknown): void {
    if (!this.#session || this.#session.value !== session) return;
    const failure = this.#o.name(error);
    this.#session = undefined;
    this.#closeSession(session);
    // The first reopening follows soon: most losses are a restarted peer. One that drops every session at once
    // is asked at growing pauses, as if it had refused.
    const stable = this.#o.clock.mono() - this.#openedAt >= STABLE_MS;
    this.#attempts = stable ? 0 : Math.min(this.#attempts, MOST_DOUBLINGS);
    this.#wait(failure);
  }

  async close(): Promise<void> {
    if (this.#state !== 'closed') {
      this.#timer?.cancel();
      if (this.#session) this.#closeSession(this.#session.value);
      this.#session = undefined;
      this.#failure = undefined;
      this.#change('closed');
      this.#opening?.abort();
      this.#settle((waiter) => waiter.reject(this.#unavailable()));
    }
    await Promise.all(this.#closing);
  }

  #open(): void {
    const scope = new Scope();
    const { clock, openTimeoutMs, peer } = this.#o;
    this.#opening = scope;
    this.#change('opening');
    const timer = clock.timer(openTimeoutMs, () =>
      scope.abort(
        new Failure(
          'disconnected',
          'CONNECTION_TIMEOUT',
          `${peer} did not answer within ${openTimeoutMs} ms; check address, cable, power and firewall.`,
          { reached: false },
        ),
      ),
    );
    const lost = { early: undefined as unknown, session: undefined as { value: S } | undefined };
    const onLost = (error: unknown): void => {
      if (lost.session) this.lost(lost.session.value, error);
      else
        lost.early ??=
          error ?? new Failure('disconnected', 'CONNECTION_LOST', `${peer} closed the connection.`);
    };
    let over = false;
    const fail = (error: unknown): void => {
      if (over) return;
      over = true;
      timer.cancel();
      this.#opening = undefined;
      scope.abort();
      if (this.#state !== 'closed') this.#wait(this.#o.name(error));
    };
    scope.onAbort(fail);
    Promise.resolve()
      .then(() => this.#o.open(scope, onLost))
      .then((session) => {
        // A session that arrives after the abort belongs to nobody.
        if (over) return this.#closeSession(session);
        over = true;
        timer.cancel();
        this.#opening = undefined;
        lost.session = { value: session };
        this.#opened(session);
        if (lost.early !== undefined) this.lost(session, lost.early);
      }, fail);
  }

  #opened(session: S): void {
    this.#session = { value: session };
    this.#failure = undefined;
    this.#openedAt = this.#o.clock.mono();
    this.#change('open');
    this.#settle((waiter) => waiter.resolve(session));
  }

  #wait(failure: Failure): void {
    if (this.#state === 'closed') return;
    this.#failure = failure;
    this.#change('waiting');
    this.#settle((waiter) => waiter.reject(this.#unavailable()));
    this.#timer?.cancel();
    this.#timer = this.#o.clock.timer(this.#pause(failure), () => this.#open());
  }

  /**
   * Exponential with equal jitter. Wrong credentials and settings are tried only at the longest pause: often
   * enough to recover when the peer is put right, too seldom to lock an account.
   */
  #pause(failure: Failure): number {
    const { reopenMaxMs, random } = this.#o;
    if (failure.kind === 'auth' || failure.kind === 'config') return reopenMaxMs;
    const longest = Math.min(reopenMaxMs, FIRST_PAUSE_MS * 2 ** Math.min(this.#attempts, 20));
    this.#attempts += 1;
    return longest / 2 + (longest / 2) * random();
  }

  #unavailable(): Failure {
    const { peer } = this.#o;
    const failure = this.#failure;
    if (!failure) {
      return new Failure('cancelled', 'CANCELLED', `${peer} is closed because its node is stopping.`, {
        reached: false,
      });
    }
    if (failure.kind === 'auth' || failure.kind === 'config') return failure;
    return new Failure('disconnected', 'NOT_CONNECTED', `${peer} is not connected: ${failure.message}`, {
      reached: false,
      details: { reason: failure.code },
      cause: failure,
    });
  }

  #settle(act: (waiter: Waiter<S>) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    waiters.forEach(act);
  }

  #closeSession(session: S): void {
    const limited = new Promise<void>((resolve) => {
      const timer = this.#o.clock.timer(CLOSE_LIMIT_MS, resolve);
      const end = (): void => {
        timer.cancel();
        resolve();
      };
      Promise.resolve()
        .then(() => this.#o.close(session))
        .then(end, end);
    });
    this.#closing.push(limited);
    void limited.then(() => {
      this.#closing = this.#closing.filter((one) => one !== limited);
    });
  }

  #change(state: LinkState): void {
    this.#state = state;
    this.#o.onChange(this.view);
  }
}
