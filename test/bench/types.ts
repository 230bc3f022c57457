/** One figure. `ratio` is ours / reference; `ok` says whether the target is met. */
export interface Figure {
  readonly name: string;
  readonly ours: number;
  /** The raw library, bare Node-RED or a bare await on the same work; null where there is none. */
  readonly reference: number | null;
  readonly ratio: number | null;
  /** Of `ours` and `reference`: "ns", "ms", "rows/s", "MiB". */
  readonly unit: string;
  /** What is demanded, for people: "at most 500 ns above the reference". */
  readonly target: string;
  readonly ok: boolean;
}

/** What a suite states; the runner adds the ratio. */
export interface Result {
  readonly name: string;
  readonly ours: number;
  readonly reference?: number;
  readonly unit: string;
  readonly target: string;
  readonly ok: boolean;
}

export interface Report {
  figure(result: Result): void;
  /** For people: what is measured now, what could not be measured and why. Goes to stderr. */
  note(text: string): void;
}

/** A file test/bench/<name>.ts exports one as `suite`. */
export interface BenchSuite {
  readonly name: string;
  run(report: Report): Promise<void>;
}
