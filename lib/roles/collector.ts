/**
 * Joins calls into one. While a joined call runs, what arrives is gathered; when none runs, an item leaves at
 * once, so an idle node adds no delay. `waitMs` asks for more patience than that.
 */
import type { Clock, Failure, Timer } from '../core';

export interface Limits {
  readonly items: number;
  readonly waitMs: number;
}

interface Pending<I, R> {
  readonly item: I;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

export class Collector<I, R> {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #flush: (items: readonly I[]) => Promise<readonly ItemResult<R>[]>;
  #pending: Pending<I, R>[] = [];
  #running = false;
  #timer: Timer | undefined;
  #scheduled = false;
  #hurried = false;

  constructor(
    clock: Clock,
    limits: Limits,
    flush: (items: readonly I[]) => Promise<readonly ItemResult<R>[]>,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#flush = flush;
  }

  get size(): number {
    return this.#pending.length;
  }

  add(item: I): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ item, resolve, reject });
      this.#consider();
    });
  }

  /** Sends what is waiting without more patience; for close. */
  hurry(): void {
    this.#hurried = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!this.#running && this.#pending.length > 0) this.#schedule();
  }

  /** Ends what is waiting; what is running ends by itself. */
  cancel(reason: Failure): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const one of this.#pending.splice(0)) one.reject(reason);
  }

  #consider(): void {
    if (this.#running || this.#scheduled) return;
    const { items, waitMs } = this.#limits;
    if (this.#pending.length >= items || waitMs <= 0 || this.#hurried) {
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#schedule();
    } else {
      this.#timer ??= this.#clock.timer(waitMs, () => {
        this.#timer = undefined;
        this.#schedule();
      });
    }
  }

  /** After the current turn of the event loop: messages of one burst leave together. */
  #schedule(): void {
    if (this.#scheduled || this.#running) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#running) this.#send();
    });
  }

  #send(): void {
    const batch = this.#pending.splice(0, this.#limits.items);
    if (batch.length === 0) return;
    this.#running = true;
    const end = (): void => {
      this.#running = false;
      if (this.#pending.length > 0) this.#consider();
    };
    this.#flush(batch.map((one) => one.item)).then(
      (results) => {
        batch.forEach((one, i) => settleItem(one, results[i]));
        end();
      },
      (error: unknown) => {
        batch.forEach((one) => one.reject(error));
        end();
      },
    );
  }
}

export type ItemResult<R> =
  { readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: unknown };

function settleItem<I, R>(one: Pending<I, R>, result: ItemResult<R> | undefined): void {
  if (!result) one.reject(new Error('A collected call returned fewer outcomes than it got items.'));
  else if (result.ok) one.resolve(result.value);
  else one.reject(result.error);
}
