/**
 * Gateways tell one another over plain NATS what happened to a queue, so that nobody needs to poll. A hint that is
 * lost costs time, never a record.
 */
import type { Subscription } from '@nats-io/transport-node';
import type { Timer } from '../../core';
import type { QueueListener } from '../types';
import { parse } from './record';
import type { Session } from './session';

/** Many puts make one hint. */
const PAUSE_MS = 10;

export type Hint =
  | { readonly what: 'ready' }
  | { readonly what: 'died'; readonly count: number }
  | { readonly what: 'dropped'; readonly count: number; readonly reason: 'full' | 'old' };

export class Hints {
  readonly #listeners = new Set<QueueListener>();
  readonly #sub: Subscription;
  #pause: Timer | undefined;
  #again = false;

  /** `sender` tells own hints from those of others. */
  constructor(
    readonly session: Session,
    readonly subject: string,
    readonly sender: string,
  ) {
    this.#sub = session.nc.subscribe(subject, {
      callback: (error, msg) => {
        if (!error && msg.data.length < 1_000) this.#hear(parse(msg.string()));
      },
    });
  }

  listen(listener: QueueListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** To the listeners here at once, to the other gateways at most every few milliseconds. */
  ready(): void {
    this.#call({ what: 'ready' });
    if (this.#pause) {
      this.#again = true;
      return;
    }
    this.#send({ what: 'ready' });
    this.#pause = this.session.clock.timer(PAUSE_MS, () => {
      this.#pause = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.#send({ what: 'ready' });
    });
  }

  tell(hint: Hint): void {
    this.#call(hint);
    this.#send(hint);
  }

  close(): void {
    this.#pause?.cancel();
    this.#listeners.clear();
    if (!this.#sub.isClosed()) this.#sub.unsubscribe();
  }

  #send(hint: Hint): void {
    this.session.tell(this.subject, JSON.stringify({ from: this.sender, ...hint }));
  }

  #hear(raw: Readonly<Record<string, unknown>>): void {
    if (raw['from'] === this.sender) return;
    const count = Number.isSafeInteger(raw['count']) ? Math.max(0, Number(raw['count'])) : 0;
    if (raw['what'] === 'ready') this.#call({ what: 'ready' });
    if (raw['what'] === 'died') this.#call({ what: 'died', count });
    if (raw['what'] !== 'dropped') return;
    this.#call({ what: 'dropped', count, reason: raw['reason'] === 'old' ? 'old' : 'full' });
  }

  #call(hint: Hint): void {
    for (const listener of this.#listeners) {
      if (hint.what === 'ready') listener.ready?.();
      else if (hint.what === 'died') listener.died?.(hint.count);
      else listener.dropped?.(hint.count, hint.reason);
    }
  }
}
