/** What a node shows under itself. lib/red maps levels to colours and shapes. */
import type { Clock, Timer } from '../core';

export type StatusLevel = 'off' | 'idle' | 'good' | 'busy' | 'warn' | 'bad';

export interface Status {
  readonly level: StatusLevel;
  readonly text: string;
}

const SHORTEST_MS = 200;
const LONGEST_TEXT = 80;

/** Passes a status on at most five times a second, never the same twice, and always the last one. */
export class StatusLine {
  readonly #clock: Clock;
  readonly #show: (status: Status) => void;
  readonly #clean: (text: string) => string;
  #shown: Status | undefined;
  #next: Status | undefined;
  #timer: Timer | undefined;
  #closed = false;

  /** `clean` takes secrets out, before a text is cut: half a secret would not be found. */
  constructor(clock: Clock, show: (status: Status) => void, clean: (text: string) => string) {
    this.#clean = clean;
    this.#clock = clock;
    this.#show = show;
  }

  set(level: StatusLevel, text: string): void {
    if (this.#closed) return;
    const safe = this.#clean(text);
    const short = safe.length > LONGEST_TEXT ? `${safe.slice(0, LONGEST_TEXT - 1)}…` : safe;
    this.#next = { level, text: short };
    if (!this.#timer) this.#flush();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#next = undefined;
  }

  #flush(): void {
    const next = this.#next;
    this.#next = undefined;
    this.#timer = undefined;
    if (!next || (this.#shown?.level === next.level && this.#shown.text === next.text)) return;
    this.#shown = next;
    this.#timer = this.#clock.timer(SHORTEST_MS, () => this.#flush());
    this.#show(next);
  }
}
