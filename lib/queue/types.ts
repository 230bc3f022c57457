/**
 * The durable queue: one interface, several stores. A record is put, leased, and then acknowledged, rejected or
 * dead-lettered; nothing else ends it. See docs/decisions/0008-durable-queue.md for what each store can do.
 */
import type { FailureKind } from '../core';

/** One message in a queue, as the one who puts it gives it. */
export interface Entry {
  /** Idempotency key, 1 to 200 characters: every delivery and every replay keeps it. */
  readonly id: string;
  /** Records of one key keep their order among themselves; "" for none. At most 200 characters. */
  readonly key: string;
  /** When the message came to be, milliseconds since 1970 UTC. A fact to carry, never used for order or expiry. */
  readonly time: number;
  /** The message as `codec.ts` encodes it. */
  readonly body: Uint8Array;
  /** Attempts that failed before it was put; its history begins with them. They count as no delivery. */
  readonly history?: readonly Attempt[];
}

/** The node that a record belongs to or that failed with it. */
export interface Source {
  readonly node: string;
  readonly name: string;
  readonly type: string;
  /** Label of the flow's tab; "" where there is none. */
  readonly flow: string;
}

/** One failed delivery. Free of secrets: whoever writes it has redacted it. */
export interface Attempt {
  /** Wall clock, milliseconds since 1970 UTC. */
  readonly at: number;
  readonly kind: FailureKind;
  readonly code: string;
  readonly message: string;
  readonly source?: Source;
}

export interface QueueOptions {
  /** Whom the dead letters of this queue name when an attempt names nobody. */
  readonly owner: Source;
  /**
   * True: records without a key form one line, as if they shared a key. False: they are leased in order, but none
   * waits for another.
   */
  readonly ordered: boolean;
  /** Records waiting and leased; 0 means no limit. */
  readonly maxRecords: number;
  /** Bytes of their bodies; 0 means no limit. */
  readonly maxBytes: number;
  /** Milliseconds of running time (never of the wall clock, which may jump) after which a record is old; 0: never. */
  readonly maxAgeMs: number;
  /** `reject`: `put` fails with QUEUE_FULL. `dropOldest`: of those that are not leased. Every drop is counted. */
  readonly whenFull: 'reject' | 'dropOldest' | 'dropNewest';
  readonly whenOld: 'deadLetter' | 'drop';
  /** Deliveries after which a record becomes a dead letter; 0 means no limit. */
  readonly maxDeliveries: number;
  /** A second `put` of the same id within this time stores nothing; 0: off. Only where `capabilities.duplicates`. */
  readonly duplicateWindowMs: number;
}

export type PutResult = 'stored' | 'duplicate' | 'dropped';

/** One delivery of one record. */
export interface Leased {
  readonly entry: Entry;
  /** Names this delivery. Worthless once its lease ran out or ended. */
  readonly token: string;
  /** 1 for the first; rises also when a process died with the record in its hands. */
  readonly delivery: number;
  /** The last failed deliveries, oldest first; at most twenty. */
  readonly history: readonly Attempt[];
}

export interface LeaseOptions {
  /** Most records. */
  readonly max: number;
  /**
   * Most records of one key in this lease, in their order. No record is leased while an earlier one of its key is
   * leased or delayed by an earlier lease.
   */
  readonly perKey: number;
  /** After this time without an end or an `extend`, the record may be leased again. Monotonic. */
  readonly visibilityMs: number;
}

export interface QueueStats {
  /** Not leased and not delayed, or waiting behind another of their key. */
  readonly waiting: number;
  readonly leased: number;
  readonly delayed: number;
  readonly dead: number;
  /** Bytes of waiting, leased and delayed bodies. */
  readonly bytes: number;
  /** Running time in milliseconds since the oldest record was put; 0 when empty. */
  readonly oldestMs: number;
  /** Ever since the queue was made, kept across restarts: put = acknowledged + died + dropped + what is there. */
  readonly totals: {
    readonly put: number;
    readonly acknowledged: number;
    /** Became dead letters. */
    readonly died: number;
    /** Came back by replay; also counted in `put`. */
    readonly replayed: number;
    readonly dropped: { readonly full: number; readonly old: number; readonly purged: number };
    readonly duplicates: number;
  };
}

/** What a queue tells while it is open. Listeners must not throw and are called from the store's own turn. */
export interface QueueListener {
  /** Something may be leased now: a put, an end of a delay or lease, a recovered store. May come without need. */
  ready?(): void;
  dropped?(count: number, reason: 'full' | 'old'): void;
  /** Records of this queue became dead letters, by whomever. */
  died?(count: number): void;
  /** Undefined: the store works again. Else the sentence that `put` fails with meanwhile. */
  trouble?(sentence: string | undefined): void;
}

export interface Queue {
  readonly name: string;
  /** Resolves once the record is where a crash or a power cut cannot take it. Rejects with a Failure otherwise. */
  put(entry: Entry): Promise<PutResult>;
  /** The oldest records that may be leased; empty when there are none. Does not wait for any. */
  lease(options: LeaseOptions): Promise<readonly Leased[]>;
  /** Ends a record. False: the token is worthless, and the record may be delivered to another. */
  acknowledge(token: string): Promise<boolean>;
  /** Gives a record back to its place in the order; its key waits for it. `delayMs` is monotonic. */
  reject(token: string, attempt: Attempt | undefined, delayMs: number): Promise<boolean>;
  /** Gives a record back as if it had not been leased: the delivery does not count. */
  release(token: string): Promise<boolean>;
  /** Prolongs a lease to `visibilityMs` from now. */
  extend(token: string, visibilityMs: number): Promise<boolean>;
  /** Moves a record to the dead letters in one step: no crash leaves it in both or in neither. */
  deadLetter(token: string, attempt: Attempt): Promise<boolean>;
  /** Summaries in the queue's order, without bodies, beginning after `after`. */
  inspect(page: { readonly after: number; readonly limit: number }): Promise<readonly RecordSummary[]>;
  stats(): Promise<QueueStats>;
  /** Brings dead letters of this queue back to its end. Their ids stay. Returns how many. */
  replay(filter: DeadFilter): Promise<number>;
  /** Removes records that are not leased. Counted as purged. Returns how many. */
  purge(): Promise<number>;
  /** Returns the function that removes the listener. */
  listen(listener: QueueListener): () => void;
  /** Gives back what this handle leased; the records stay. */
  close(): Promise<void>;
}

export interface RecordSummary {
  /** Position in the order; rises, with gaps. */
  readonly position: number;
  readonly id: string;
  readonly key: string;
  readonly time: number;
  readonly bytes: number;
  readonly delivery: number;
  readonly state: 'waiting' | 'leased' | 'delayed';
}

// ── Dead letters ─────────────────────────────────────────────────────────────────────────────────────────

export interface DeadLetter {
  /** Names it within its store; rises. */
  readonly number: number;
  /** The queue that it goes back to on replay. */
  readonly queue: string;
  readonly id: string;
  readonly key: string;
  readonly time: number;
  readonly bytes: number;
  /** Deliveries, or attempts of the call that failed. */
  readonly attempts: number;
  /** Wall clock, milliseconds since 1970 UTC. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly kind: FailureKind;
  readonly code: string;
  readonly message: string;
  readonly source: Source;
}
export interface DeadLetterDetail extends DeadLetter {
  readonly body: Uint8Array;
  readonly history: readonly Attempt[];
}

/** All given conditions must hold. Without any it names all dead letters. */
export interface DeadFilter {
  readonly numbers?: readonly number[];
  readonly queue?: string;
  readonly node?: string;
  readonly code?: string;
  readonly kind?: FailureKind;
  readonly id?: string;
  readonly key?: string;
  /** Last failure at or after, and before; milliseconds since 1970 UTC. */
  readonly since?: number;
  readonly before?: number;
}

export interface DeadLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** The dead letters of one store. When it is full the oldest make room; that is counted. */
export interface DeadLetters {
  list(
    filter: DeadFilter,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadLetter[]>;
  get(number: number): Promise<DeadLetterDetail | undefined>;
  /** A message that fails without having been in a queue. Durable when it resolves. Returns its number. */
  add(
    queue: string,
    entry: Entry,
    owner: Source,
    history: readonly Attempt[],
    attempts: number,
  ): Promise<number>;
  /**
   * Puts them back into their queues, oldest first, in one step; ids and keys stay. A queue need not be open: its
   * next opener finds them. `body` replaces the message (only with exactly one number).
   */
  replay(filter: DeadFilter, body?: Uint8Array): Promise<number>;
  purge(filter: DeadFilter): Promise<number>;
  stats(): Promise<{ readonly records: number; readonly bytes: number; readonly dropped: number }>;
  limit(limits: DeadLimits): Promise<void>;
  /** Called with each new letter. Returns the function that removes the listener. */
  onAdded(fn: (letter: DeadLetter) => void): () => void;
}

/** Remembers keys for a while; what the idempotent consumer asks. */
export interface KeyMemory {
  /** True when the key was not known; durable when it resolves. Asking again within the window gives false. */
  claim(key: string): Promise<boolean>;
  /** Takes a claim back, because what it protected failed. */
  forget(key: string): Promise<void>;
  clear(): Promise<void>;
  size(): Promise<number>;
}
export interface KeyMemoryOptions {
  /** Milliseconds of running time. */
  readonly windowMs: number;
  /** The oldest keys make room. */
  readonly maxKeys: number;
}

// ── Stores ───────────────────────────────────────────────────────────────────────────────────────────────

export interface Capabilities {
  /** Survives the end of the process. */
  readonly durable: boolean;
  /** Several processes share its queues. */
  readonly shared: boolean;
  /** Keeps the order of a key while other keys go on. Else: order as the broker gives it, and no keys. */
  readonly keys: boolean;
  readonly extend: boolean;
  readonly duplicates: boolean;
  /** `inspect` shows records, not only counts. */
  readonly inspect: boolean;
  readonly delay: boolean;
}

export interface QueueStore {
  readonly capabilities: Capabilities;
  /** A queue of this name is made when it does not exist. Names: 1 to 100 of letters, digits, `.`, `_`, `-`, `/`. */
  open(name: string, options: QueueOptions): Promise<Queue>;
  /** Undefined where the broker keeps the dead letters. */
  readonly dead: DeadLetters | undefined;
  /** Undefined where the store cannot. */
  keys?(name: string, options: KeyMemoryOptions): Promise<KeyMemory>;
  /** Names of the queues that exist. */
  names(): Promise<readonly string[]>;
  /** Everything asked before is on disk; then frees every handle. Never throws. */
  close(): Promise<void>;
}
