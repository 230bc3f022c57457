/** An open queue, as the nodes that share its connection see it. */
import { Failure, isFailure, type Message } from '../../lib/core';
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

export class QueueSession {
  readonly queue: Queue;
  readonly capabilities: Capabilities;
  /** Through which gateways agree, where the store can. */
  readonly cluster: Cluster | undefined;
  readonly #close: () => Promise<void>;
  readonly #holders = new Map<string, Holder>();
  readonly #begun = new WeakMap<Message, Map<string, Promise<boolean>>>();
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

  put(entry: Entry): Promise<PutResult> {
    return this.queue.put(entry).catch(rethrow);
  }

  hold(token: string, holder: Holder): void {
    this.#holders.set(token, holder);
  }

  /** The holder no longer waits. */
  drop(token: string): void {
    this.#holders.delete(token);
  }

  /** `asker`: a repeated attempt of the same message does not fail because the first one succeeded. */
  acknowledge(token: string, asker: Message): Promise<boolean> {
    return this.#settle(token, asker, () => this.queue.acknowledge(token));
  }

  /** Without `delayMs` the take node's growing pause applies. */
  giveBack(token: string, attempt: Attempt, delayMs: number | undefined, asker: Message): Promise<boolean> {
    const pause = delayMs ?? this.#holders.get(token)?.pauseMs(token) ?? PAUSE_MS;
    return this.#settle(token, asker, () => this.queue.reject(token, attempt, pause));
  }

  bury(token: string, attempt: Attempt, asker: Message): Promise<boolean> {
    return this.#settle(token, asker, () => this.queue.deadLetter(token, attempt));
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

  async #settle(token: string, asker: Message, act: () => Promise<boolean>): Promise<boolean> {
    const begun = this.#begun.get(asker) ?? new Map<string, Promise<boolean>>();
    this.#begun.set(asker, begun);
    const running = begun.get(token) ?? act();
    begun.set(token, running);
    try {
      const ended = await running;
      this.#holders.get(token)?.settled(token);
      return ended;
    } catch (error) {
      if (begun.get(token) === running) begun.delete(token);
      return rethrow(error);
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
