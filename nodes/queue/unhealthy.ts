/** Whether one of the named connections is unhealthy, and being told when that changes. */
import type { Clock, Timer } from '../../lib/core';
import type { TriggerContext } from '../../lib/roles';
import type { Fields } from '../../lib/spec';

type Board = TriggerContext<Fields, unknown>['board'];

/** A connection that was removed, or whose failures left the window, tells nobody. */
const RECHECK_MS = 1000;

export class Unhealthy {
  readonly #board: Board;
  readonly #clock: Clock;
  readonly #names: ReadonlySet<string>;
  readonly #changed: () => void;
  readonly #off: () => void;
  #timer: Timer | undefined;
  #name: string | undefined;

  constructor(board: Board, clock: Clock, names: readonly string[], changed: () => void) {
    this.#board = board;
    this.#clock = clock;
    this.#names = new Set(names);
    this.#changed = changed;
    this.#off = names.length === 0 ? () => {} : board.onChange(() => this.#look());
    if (names.length > 0) this.#name = this.#find();
    this.#watch();
  }

  /** The connection that keeps messages back; undefined when all named ones work, or do not exist. */
  get name(): string | undefined {
    return this.#name;
  }

  close(): void {
    this.#off();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    const before = this.#name;
    this.#name = this.#find();
    this.#watch();
    if (before !== this.#name) this.#changed();
  }

  #watch(): void {
    if (this.#name === undefined || this.#timer) return;
    this.#timer = this.#clock.timer(RECHECK_MS, () => {
      this.#timer = undefined;
      this.#look();
    });
  }

  #find(): string | undefined {
    const reports = this.#board.reports();
    return reports.find(
      ({ id, name, state }) => state === 'unhealthy' && (this.#names.has(id) || this.#names.has(name)),
    )?.name;
  }
}
