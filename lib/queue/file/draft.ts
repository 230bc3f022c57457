/**
 * What waits for the next commit. Puts and acknowledgements of one queue are packed together, because a message
 * between threads costs by the object, not by the byte.
 */
import type { Entry, PutResult } from '../types';
import { FrameWriter } from './frame';
import { type Answer, type Ask, type Command, type Operation, PUT_CODES } from './protocol';

/** Commands, acknowledgements and bytes of one batch: small enough that handing it out does not hold the event loop. */
const MOST_ITEMS = 1024;
const MOST_ENDS = 2048;
const MOST_BYTES = 4 * 1024 * 1024;

/** One command and who waits for it. */
export interface Slot {
  command(): Command;
  /** What else moves to the other thread. */
  readonly transfer?: () => ArrayBuffer[];
  settle(answer: unknown): void;
  fail(error: unknown): void;
}

type Resolve<T> = (value: T) => void;
type Reject = (error: unknown) => void;

/** The puts of one queue. */
class PutGroup implements Slot {
  readonly #queue: number;
  readonly #writer = new FrameWriter();
  readonly #resolve: Resolve<PutResult>[] = [];
  readonly #reject: Reject[] = [];
  readonly #full: () => unknown;

  constructor(queue: number, full: () => unknown) {
    this.#queue = queue;
    this.#full = full;
  }

  add(entry: Entry, attempts: string, resolve: Resolve<PutResult>, reject: Reject): void {
    this.#writer.add(entry, attempts);
    this.#resolve.push(resolve);
    this.#reject.push(reject);
  }

  command(): Command<'put'> {
    const ask = { queue: this.#queue, count: this.#resolve.length, data: this.#writer.take() };
    return { op: 'put', ask };
  }

  readonly transfer = (): ArrayBuffer[] => [this.#writer.take()];

  settle(answer: unknown): void {
    const codes = answer as Answer<'put'>;
    if (!codes) {
      for (const resolve of this.#resolve) resolve('stored');
      return;
    }
    codes.forEach((code, index) => {
      const result = PUT_CODES[code] ?? 'stored';
      if (result === 'full') this.#reject[index]?.(this.#full());
      else this.#resolve[index]?.(result);
    });
  }

  fail(error: unknown): void {
    for (const reject of this.#reject) reject(error);
  }
}

/** The acknowledgements of one queue. */
class AckGroup implements Slot {
  readonly #queue: number;
  readonly #tokens: number[] = [];
  readonly #resolve: Resolve<boolean>[] = [];
  readonly #reject: Reject[] = [];

  constructor(queue: number) {
    this.#queue = queue;
  }

  add(seq: number, no: number, resolve: Resolve<boolean>, reject: Reject): void {
    this.#tokens.push(seq, no);
    this.#resolve.push(resolve);
    this.#reject.push(reject);
  }

  command(): Command<'acknowledge'> {
    return { op: 'acknowledge', ask: { queue: this.#queue, tokens: Float64Array.from(this.#tokens) } };
  }

  settle(answer: unknown): void {
    const failed = answer as Answer<'acknowledge'>;
    this.#resolve.forEach((resolve, index) => resolve(failed?.[index] !== 1));
  }

  fail(error: unknown): void {
    for (const reject of this.#reject) reject(error);
  }
}

export class Draft {
  readonly slots: Slot[] = [];
  bytes = 0;
  #items = 0;
  #ends = 0;
  readonly #puts = new Map<number, PutGroup>();
  readonly #acks = new Map<number, AckGroup>();

  get isFull(): boolean {
    return this.#items >= MOST_ITEMS || this.bytes >= MOST_BYTES;
  }

  /** Acknowledgements come first in a batch, so they may join an older one. */
  get takesEnds(): boolean {
    return this.#ends < MOST_ENDS;
  }

  put(queue: number, entry: Entry, attempts: string, full: () => unknown): Promise<PutResult> {
    let group = this.#puts.get(queue);
    if (!group) {
      group = new PutGroup(queue, full);
      this.#puts.set(queue, group);
      this.slots.push(group);
    }
    const into = group;
    this.#items += 1;
    this.bytes += entry.body.byteLength;
    return new Promise((resolve, reject) => into.add(entry, attempts, resolve, reject));
  }

  acknowledge(queue: number, seq: number, no: number): Promise<boolean> {
    let group = this.#acks.get(queue);
    if (!group) {
      group = new AckGroup(queue);
      this.#acks.set(queue, group);
      this.slots.push(group);
    }
    const into = group;
    this.#ends += 1;
    return new Promise((resolve, reject) => into.add(seq, no, resolve, reject));
  }

  /** Any other command. What is put into its queue later comes after it. */
  add<O extends Operation>(op: O, ask: Ask<O>): Promise<Answer<O>> {
    const queue = (ask as { queue?: unknown } | null)?.queue;
    if (typeof queue === 'number') this.#puts.delete(queue);
    else this.#puts.clear();
    // A lease hands out as many records as it asks for.
    this.#items += op === 'lease' ? 1 + Math.ceil((ask as Ask<'lease'>).max / 3) : 1;
    return new Promise((resolve, reject) => {
      const settle = (answer: unknown): void => resolve(answer as Answer<O>);
      this.slots.push({ command: () => ({ op, ask }), settle, fail: reject });
    });
  }
}
