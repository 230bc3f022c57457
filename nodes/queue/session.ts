/** An open queue, as the nodes that share its connection see it. */
import { Failure, isFailure, type Call } from '../../lib/core';
import type { Cluster } from '../../lib/queue/cluster';
import type { Attempt, Capabilities, Entry, PutResult, Queue } from '../../lib/queue';

/** Waits for the end of a delivery: the take node that handed the message out. */
export interface Holder {
  /** The delivery ended: acknowledged, given back or dead. */
  settled(token: string): void;
  extended(token: string, visibilityMs: number): void;
  /** How long the message should rest before it is delivered again. */
  pauseMs(token: string): number;
}

/** The rest of a message that is given back when nobody here holds it any more. */
const PAUSE_MS = 1000;
/** Timeouts whose answer came before their next attempt; there are never many. */
const MOST_LATE = 10_000;

export class QueueSession {
  readonly queue: Queue;
  readonly capabilities: Capabilities;
  /** Through which gateways agree, where the store can. */
  readonly cluster: Cluster | undefined;
  readonly #close: () => Promise<void>;
  readonly #holders = new Map<string, Holder>();
  /** What is being settled, so that a repeated attempt does not take its own first one for somebody else's. */
  readonly #running = new Map<string, Promise<boolean>>();
  /** Settled after the attempt that asked for it had timed out. */
  readonly #late = new Set<string>();
  readonly #unlisten: () => void;
  #trouble: string | undefined;

  constructor(
    queue: Queue,
    store: { readonly capabilities: Capabilities; readonly cluster?: Cluster | undefined },
    close: () => Promise<void>,
  ) {
    this.queue = queue;
    this.capabilities = store.capabilities;
    this.cluster = store.cluster;
    this.#close = close;
    this.#unlisten = queue.listen({
      trouble: (sentence) => {
        this.#trouble = sentence;
      },
    });
  }

  /** The store's sentence while it cannot be used. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  async put(entry: Entry): Promise<PutResult> {
    try {
      return await this.queue.put(entry);
    } catch (error) {
      return rethrow(error);
    }
  }

  hold(token: string, holder: Holder): void {
    this.#holders.set(token, holder);
  }

  /** The holder no longer waits. */
  drop(token: string): void {
    this.#holders.delete(token);
  }

  acknowledge(token: string, call: Call): Promise<boolean> {
    return this.#settle(token, call, () => this.queue.acknowledge(token));
  }

  /** Without `delayMs` the take node's growing pause applies. */
  giveBack(token: string, attempt: Attempt, delayMs: number | undefined, call: Call): Promise<boolean> {
    const pause = delayMs ?? this.#holders.get(token)?.pauseMs(token) ?? PAUSE_MS;
    return this.#settle(token, call, () => this.queue.reject(token, attempt, pause));
  }

  bury(token: string, attempt: Attempt, call: Call): Promise<boolean> {
    return this.#settle(token, call, () => this.queue.deadLetter(token, attempt));
  }

  async extend(token: string, visibilityMs: number): Promise<boolean> {
    const held = await this.queue.extend(token, visibilityMs).catch(rethrow);
    const holder = this.#holders.get(token);
    if (held) holder?.extended(token, visibilityMs);
    else holder?.settled(token);
    return held;
  }

  async close(): Promise<void> {
    this.#unlisten();
    this.#holders.clear();
    await this.#close();
  }

  async #settle(token: string, call: Call, act: () => Promise<boolean>): Promise<boolean> {
    if (call.attempt > 1 && this.#late.delete(token)) return true;
    const running = (call.attempt > 1 ? this.#running.get(token) : undefined) ?? act();
    this.#running.set(token, running);
    try {
      const ended = await running;
      if (ended && call.scope.aborted) this.#remember(token);
      this.#holders.get(token)?.settled(token);
      return ended;
    } catch (error) {
      return rethrow(error);
    } finally {
      this.#running.delete(token);
    }
  }

  #remember(token: string): void {
    this.#late.add(token);
    if (this.#late.size <= MOST_LATE) return;
    for (const oldest of this.#late) {
      this.#late.delete(oldest);
      return;
    }
  }
}

/**
 * A full disk or a full queue must not open the breaker: it would keep out the acknowledgements that make room, and
 * the first calls after space returned.
 */
function rethrow(error: unknown): never {
  if (!isFailure(error) || error.kind !== 'transient') throw error;
  const { kind, code, message, details, reached } = error;
  throw new Failure(kind, code, message, { details, reached, partial: true, cause: error });
}
