/** What survives a restart, and when it is written. */
import type { Clock, Log, StateStore, Timer } from '../../lib/core';
import { isSpan, type Span } from './coverage';
import { readEntries, type LedgerEntry } from './ledger';

export interface SavedJob {
  readonly name: string;
  readonly key: string;
  readonly paused: boolean;
  readonly lastRun: string | null;
  readonly spans: readonly Span[];
}
export interface SavedState {
  readonly jobs: readonly SavedJob[];
  readonly ledger: readonly LedgerEntry[];
}

/** Reads a stored document; whatever is damaged is left out. */
export function readState(value: unknown): SavedState {
  if (typeof value !== 'object' || value === null) return { jobs: [], ledger: [] };
  const { jobs, ledger } = value as { jobs?: unknown; ledger?: unknown };
  return { jobs: Array.isArray(jobs) ? jobs.flatMap(readJob) : [], ledger: readEntries(ledger) };
}

function readJob(value: unknown): SavedJob[] {
  if (typeof value !== 'object' || value === null) return [];
  const { name, key, paused, lastRun, spans } = value as Partial<SavedJob>;
  if (typeof name !== 'string' || typeof key !== 'string' || !Array.isArray(spans)) return [];
  return [
    {
      name,
      key,
      paused: paused === true,
      lastRun: typeof lastRun === 'string' ? lastRun : null,
      spans: spans.filter(isSpan),
    },
  ];
}

/** A schedule that is due every second must not wear out an SD card. */
const SPACING_MS = 10_000;

/** Writes the state soon after each change, one write at a time, at most once in ten seconds. */
export class Saver {
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #lastWrite = -Infinity;
  #warned = false;

  constructor(
    private readonly store: StateStore,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly state: () => SavedState,
  ) {}

  request(): void {
    if (this.#timer) return;
    const wait = Math.max(0, this.#lastWrite + SPACING_MS - this.clock.mono());
    this.#timer = this.clock.timer(wait, () => {
      this.#timer = undefined;
      void this.#write();
    });
  }

  /** Writes the last state and resolves once it is stored, or could not be. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#writing;
    await this.#write();
  }

  async #write(): Promise<void> {
    if (this.#writing) return this.request();
    this.#lastWrite = this.clock.mono();
    this.#writing = this.store.save(this.state()).then(
      () => {
        this.#warned = false;
      },
      (error: unknown) => this.#warn(error),
    );
    await this.#writing;
    this.#writing = undefined;
  }

  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    const why = error instanceof Error ? error.message : String(error);
    this.log.warn(`The last runs cannot be stored, so a restart may repeat or miss some: ${why}`);
  }
}
