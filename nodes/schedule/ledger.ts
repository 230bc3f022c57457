/** The bounded record of what was due, what ran, what was skipped, and why. */

export type RunReason = 'schedule' | 'gap' | 'missed' | 'deploy' | 'message';
export type SkipReason =
  /** Due while the node was stopped. */
  | 'stopped'
  /** The system clock was set forward over it. */
  | 'clockForward'
  /** The system clock was set back; times up to `until` were already handled and do not run again. */
  | 'clockBack'
  /** The process was too busy or suspended. */
  | 'stalled'
  | 'paused'
  /** The clock leaps over this time and missing times are skipped. */
  | 'gap'
  /** The clock shows this time for the second time and repeated times run once. */
  | 'repeat'
  /** Due between the end of one leading gateway and the beginning of this one. */
  | 'takeover'
  /** The other gateways could not be asked whether one of them runs it. */
  | 'unreachable';
/** Why this gateway began or ceased to do the work. */
export type LeadReason =
  /** It holds the lease. */
  | 'lease'
  /** Another one holds the lease. */
  | 'elsewhere'
  /** Nobody can be asked. */
  | 'unreachable'
  /** Nobody could be asked for so long that it runs by itself. */
  | 'alone';

/** Times are ISO 8601 UTC. `leader` and `standby` concern the node and have no name. */
export interface LedgerEntry {
  readonly at: string;
  readonly name: string;
  readonly decision: 'ran' | 'skipped' | 'leader' | 'standby';
  readonly reason: RunReason | SkipReason | LeadReason;
  readonly due: string;
  /** Milliseconds between due and run; for skipped runs 0. */
  readonly late: number;
  /** The last due time of a group of skipped runs. */
  readonly until?: string;
  /** How many runs a group stands for; null when there are more than 2,000. */
  readonly count?: number | null;
}

export class Ledger {
  #entries: LedgerEntry[];

  constructor(
    private readonly size: number,
    saved: readonly LedgerEntry[] = [],
  ) {
    this.#entries = size > 0 ? saved.slice(-size) : [];
  }

  add(entry: LedgerEntry): void {
    if (this.size === 0) return;
    this.#entries.push(entry);
    // Cut in blocks: shifting for every entry would copy the array each time.
    if (this.#entries.length >= this.size * 2) this.#entries = this.#entries.slice(-this.size);
  }

  /** The newest entries, oldest first. */
  list(): readonly LedgerEntry[] {
    return this.size > 0 ? this.#entries.slice(-this.size) : [];
  }
}

const DECISIONS: readonly LedgerEntry['decision'][] = ['ran', 'skipped', 'leader', 'standby'];

/** Reads entries from a stored document that may be damaged. */
export function readEntries(value: unknown): readonly LedgerEntry[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one: unknown): one is LedgerEntry => {
    if (typeof one !== 'object' || one === null) return false;
    const { at, name, due, decision } = one as Partial<LedgerEntry>;
    return (
      decision !== undefined &&
      DECISIONS.includes(decision) &&
      typeof at === 'string' &&
      typeof name === 'string' &&
      typeof due === 'string'
    );
  });
}
