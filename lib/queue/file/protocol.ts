/** What the main thread and the thread that owns the file say to each other. */
import type {
  DeadFilter,
  DeadLetter,
  DeadLetterDetail,
  DeadLimits,
  KeyMemoryOptions,
  QueueOptions,
  QueueStats,
  RecordSummary,
} from '../types';

/** One record as `attemptText` and `frame.ts` write it; attempts travel as JSON, because few ever read them. */
export interface Settle {
  readonly queue: number;
  readonly seq: number;
  readonly no: number;
}

/** Leased records: the rows one after another in `data`; four numbers a record in `facts`, see `FACTS`. */
export interface LeaseAnswer {
  readonly data: ArrayBuffer;
  readonly facts: Float64Array;
  /** JSON of the attempts; sparse, by the record's index. */
  readonly histories: Readonly<Record<number, string>> | undefined;
}
/** Numbers a record in `LeaseAnswer.facts`: position, number of the lease, delivery, length of the row. */
export const FACTS = 4;

/** Codes of `Operations.put`. All stored is the rule and travels as undefined. */
export const PUT_CODES = ['stored', 'duplicate', 'dropped', 'full'] as const;

/** By operation: what is asked, what is answered. */
export interface Operations {
  open: [{ name: string; handle: number; options: QueueOptions }, { queue: number; epoch: number }];
  close: [{ queue: number; handle: number }, null];
  put: [{ queue: number; count: number; data: ArrayBuffer }, Uint8Array | undefined];
  lease: [
    { queue: number; handle: number; max: number; perKey: number; visibilityMs: number },
    LeaseAnswer | null,
  ];
  /** Positions and numbers of the leases, in turn. Undefined: all ended. */
  acknowledge: [{ queue: number; tokens: Float64Array }, Uint8Array | undefined];
  reject: [Settle & { attempt: string | undefined; delayMs: number }, boolean];
  release: [Settle, boolean];
  extend: [Settle & { visibilityMs: number }, boolean];
  bury: [Settle & { attempt: string }, boolean];
  inspect: [{ queue: number; after: number; limit: number }, readonly RecordSummary[]];
  stats: [{ queue: number }, QueueStats];
  purge: [{ queue: number }, number];
  names: [null, readonly string[]];
  deadList: [{ filter: DeadFilter; after: number; limit: number }, readonly DeadLetter[]];
  deadGet: [{ number: number }, DeadLetterDetail | null];
  /** `data` holds one framed record. */
  deadAdd: [{ queue: string; data: ArrayBuffer; owner: string; history: string; attempts: number }, number];
  deadReplay: [{ filter: DeadFilter; body: Uint8Array | undefined }, number];
  deadPurge: [{ filter: DeadFilter }, number];
  deadStats: [null, { readonly records: number; readonly bytes: number; readonly dropped: number }];
  deadLimit: [{ limits: DeadLimits }, null];
  keysOpen: [{ name: string; options: KeyMemoryOptions }, number];
  keysClaim: [{ space: number; key: string }, boolean];
  keysForget: [{ space: number; key: string }, null];
  keysClear: [{ space: number }, null];
  keysSize: [{ space: number }, number];
  /** Looks for what fell due, as every batch does. */
  tick: [null, null];
}
export type Operation = keyof Operations;
export type Ask<O extends Operation> = Operations[O][0];
export type Answer<O extends Operation> = Operations[O][1];
export interface Command<O extends Operation = Operation> {
  readonly op: O;
  readonly ask: Ask<O>;
}

/** Times are milliseconds: `now` of running time, summed over all times the store was open; `wall` since 1970. */
export interface Batch {
  readonly do: 'batch';
  readonly now: number;
  readonly wall: number;
  readonly commands: readonly Command[];
  /** Whether dead letters are to be told one by one. */
  readonly letters: boolean;
}
export type Request =
  | Batch
  | { readonly do: 'start'; readonly path: string }
  | { readonly do: 'probe'; readonly now: number; readonly wall: number }
  /** Gives space back, and notes the running time. */
  | { readonly do: 'tidy'; readonly now: number }
  | { readonly do: 'end'; readonly now: number };

/** What a queue tells its listeners. */
export interface Tidings {
  readonly queue: number;
  readonly ready: boolean;
  readonly droppedFull: number;
  readonly droppedOld: number;
  readonly died: number;
}

/** Why a batch was not committed. `disk`: the store cannot be used now. `damaged`: it was repaired meanwhile. */
export interface Trouble {
  readonly kind: 'disk' | 'damaged' | 'locked' | 'missing' | 'newer' | 'bug';
  readonly message: string;
}
/** A line for the log. */
export interface Note {
  readonly level: 'warn' | 'info';
  readonly text: string;
}
export interface Reply {
  /** One a command. */
  readonly answers?: readonly unknown[];
  readonly trouble?: Trouble;
  readonly tidings?: readonly Tidings[];
  readonly letters?: readonly DeadLetter[];
  readonly notes?: readonly Note[];
  /** Running time at which something falls due; Infinity when nothing will. */
  readonly due?: number;
  /** Of `tidy`: there is more to do. */
  readonly more?: boolean;
  /** Of `start`. */
  readonly running?: number;
}
