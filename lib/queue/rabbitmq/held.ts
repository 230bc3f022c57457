/** The records that this gateway has taken from the broker and not ended, with the clock that gives them back. */
import { randomBytes } from 'node:crypto';
import type { GetMessage } from 'amqplib';
import type { Clock, Timer } from '../../core';
import type { Attempt, Entry } from '../types';

/**
 * RabbitMQ closes a channel that holds a record for 30 minutes (its consumer_timeout). Ours goes back before that,
 * whatever its lease or delay says.
 */
export const LONGEST_HOLD_MS = 25 * 60_000;
/** How long a released record waits here for the next lease; back on the broker it would count as delivered. */
const RELEASED_HOLD_MS = 60_000;

export type HoldState = 'leased' | 'delayed' | 'free';

export interface Holding {
  /** Another one for each lease. */
  token: string;
  readonly message: GetMessage;
  readonly entry: Entry;
  readonly history: readonly Attempt[];
  readonly delivery: number;
  readonly since: number;
  state: HoldState;
  timer: Timer | undefined;
}

export class Held {
  readonly #byToken = new Map<string, Holding>();
  /** Tokens of an earlier connection have another beginning, so that none of them fits here. */
  readonly #epoch = randomBytes(8).toString('hex');
  #released = 0;

  constructor(
    private readonly clock: Clock,
    /** The time of a record is over: it goes back to the broker. It is no longer held. */
    private readonly over: (holding: Holding) => void,
  ) {}

  add(message: GetMessage, read: Pick<Holding, 'entry' | 'history' | 'delivery'>): Holding {
    const token = `${this.#epoch}-${message.fields.deliveryTag}`;
    const since = this.clock.mono();
    const holding: Holding = { ...read, token, message, since, state: 'leased', timer: undefined };
    this.put(holding);
    return holding;
  }

  put(holding: Holding): void {
    this.#byToken.set(holding.token, holding);
  }

  /** Leases, delays or frees a record for a time. */
  keep(holding: Holding, state: HoldState, ms = RELEASED_HOLD_MS): void {
    holding.state = state;
    if (state === 'free') this.#rename(holding);
    holding.timer?.cancel();
    const left = holding.since + LONGEST_HOLD_MS - this.clock.mono();
    holding.timer = this.clock.timer(Math.max(0, Math.min(ms, left)), () => {
      this.drop(holding);
      this.over(holding);
    });
  }

  leased(token: string): Holding | undefined {
    const holding = this.#byToken.get(token);
    return holding?.state === 'leased' ? holding : undefined;
  }

  /** Takes a leased record out; undefined when the token is worthless. */
  take(token: string): Holding | undefined {
    const holding = this.leased(token);
    if (holding) this.drop(holding);
    return holding;
  }

  drop(holding: Holding): void {
    holding.timer?.cancel();
    this.#byToken.delete(holding.token);
  }

  /** The token of a released lease must not fit the next lease of the record. */
  #rename(holding: Holding): void {
    this.#byToken.delete(holding.token);
    this.#released += 1;
    holding.token = `${this.#epoch}-${holding.message.fields.deliveryTag}-${this.#released}`;
    this.#byToken.set(holding.token, holding);
  }

  /** In the order in which they were taken. */
  all(state?: HoldState): Holding[] {
    const all = [...this.#byToken.values()].filter((one) => state === undefined || one.state === state);
    return all.sort((a, b) => a.message.fields.deliveryTag - b.message.fields.deliveryTag);
  }

  get size(): number {
    return this.#byToken.size;
  }

  /** Forgets everything and stops every timer. */
  clear(): Holding[] {
    const all = this.all();
    for (const one of all) this.drop(one);
    return all;
  }
}
