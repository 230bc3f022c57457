import type ModbusRTU from 'modbus-serial';
import type { Failure, Timer } from '../../lib/core';
import { AdaptiveWindow } from './window';
import type { Area } from './tags';

/** modbus-serial's callback; `error` is null or undefined on success. */
export type Next = (error: unknown, result: unknown) => void;

/** One Modbus request. */
export interface Request {
  readonly unit: number;
  /** What a read asks for; a unit that fell silent is probed with its last read. */
  readonly read?: { readonly area: Area; readonly address: number };
  /** Its caller no longer waits: it is not sent any more. */
  cancelled?: boolean;
  /** How often the device was too busy for it while other requests were under way. */
  refusals?: number;
  send(client: ModbusRTU, next: Next): void;
  /** What is wrong with the library's result; that ends the session. */
  check?(result: unknown): Failure | undefined;
  /** Called exactly once, with a failure or the library's result. */
  done(failure: Failure | undefined, result: unknown): void;
}

/** The queue of one unit. Each has its own window and state, so that no unit waits for another. */
export class Lane {
  readonly unit: number;
  readonly window: AdaptiveWindow;
  /** Waiting requests; `#head` saves shifting a long array. */
  #queue: Request[] = [];
  #head = 0;
  underWay = 0;
  /** It stopped answering and is only probed. */
  silent = false;
  probe: Timer | undefined;
  probed: { readonly area: Area; readonly address: number } = { area: 'holding', address: 0 };
  /** Monotonic time of its last answer; undefined until it answers. */
  heardAt: number | undefined;
  #shrunkAt = -Infinity;
  /** From the first request until nothing is left. */
  #inBurst = false;
  #burstStart = 0;
  #burstDone = 0;
  #peak = 0;
  #limited = false;

  constructor(unit: number, maxWindow: number) {
    this.unit = unit;
    this.window = new AdaptiveWindow(maxWindow);
  }

  push(request: Request): void {
    if (request.read) this.probed = request.read;
    this.#queue.push(request);
  }

  get waiting(): boolean {
    return this.#head < this.#queue.length;
  }

  /** The next request that may be sent now. */
  next(): Request | undefined {
    while (this.waiting) {
      if (this.underWay >= this.window.size) {
        this.#limited = true;
        return undefined;
      }
      const request = this.#queue[this.#head];
      this.#head += 1;
      if (request && !request.cancelled) return request;
    }
    this.#queue = [];
    this.#head = 0;
    return undefined;
  }

  /** A smaller window, once for all requests that were sent before. */
  shrink(sentAt: number, now: number): void {
    if (sentAt <= this.#shrunkAt) return;
    this.#shrunkAt = now;
    this.window.shrink();
  }

  /** Empties the queue. */
  drain(): Request[] {
    const left = this.#queue.slice(this.#head).filter((request) => !request.cancelled);
    this.#queue = [];
    this.#head = 0;
    return left;
  }

  sent(now: number): void {
    if (!this.#inBurst) {
      this.#inBurst = true;
      this.#burstStart = now;
      this.#burstDone = 0;
      this.#peak = 0;
      this.#limited = false;
    }
    this.underWay += 1;
    if (this.underWay > this.#peak) this.#peak = this.underWay;
  }

  /** A request ended. A burst ends when nothing is left, or when it is long enough to judge the window. */
  settled(now: number): void {
    this.underWay -= 1;
    this.#burstDone += 1;
    const over = this.underWay === 0 && !this.waiting;
    if (!over && this.#burstDone < LONG_BURST) return;
    this.window.burst((now - this.#burstStart) / this.#burstDone, this.#peak, this.#limited);
    this.#inBurst = !over;
    this.#peak = this.underWay;
    this.#burstStart = now;
    this.#burstDone = 0;
    this.#limited = false;
  }
}

const LONG_BURST = 128;
