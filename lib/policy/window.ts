/** How many pieces a sliding window is made of; it slides by one piece at a time. */
const PIECES = 10;

/** Age in milliseconds, calls and failed calls of one piece. */
export type WindowState = readonly (readonly [ageMs: number, calls: number, failed: number])[];

interface Piece {
  /** Number of this piece since the clock's zero. */
  index: number;
  calls: number;
  failed: number;
}

/** Counts calls and failures over the last `windowMs` milliseconds in constant memory. */
export class Window {
  readonly #pieceMs: number;
  readonly #pieces: Piece[] = Array.from({ length: PIECES }, () => ({
    index: -Infinity,
    calls: 0,
    failed: 0,
  }));

  constructor(windowMs: number) {
    this.#pieceMs = windowMs / PIECES;
  }

  add(ok: boolean, now: number): void {
    this.#count(Math.floor(now / this.#pieceMs), 1, ok ? 0 : 1);
  }

  totals(now: number): { calls: number; failed: number } {
    const oldest = Math.floor(now / this.#pieceMs) - PIECES;
    let calls = 0;
    let failed = 0;
    for (const piece of this.#pieces) {
      if (piece.index <= oldest) continue;
      calls += piece.calls;
      failed += piece.failed;
    }
    return { calls, failed };
  }

  clear(): void {
    for (const piece of this.#pieces) piece.index = -Infinity;
  }

  export(now: number): WindowState {
    const newest = Math.floor(now / this.#pieceMs);
    return this.#pieces
      .filter((piece) => piece.index > newest - PIECES)
      .map(({ index, calls, failed }) => [(newest - index) * this.#pieceMs, calls, failed] as const);
  }

  /** Takes over what `export` gave; skips what it cannot have given. */
  restore(state: unknown, now: number): void {
    this.clear();
    if (!Array.isArray(state)) return;
    for (const entry of state.slice(0, PIECES) as unknown[]) {
      if (!Array.isArray(entry) || !entry.every((part) => Number.isFinite(part) && (part as number) >= 0))
        continue;
      const [ageMs, calls, failed] = entry as number[];
      if (ageMs === undefined || calls === undefined || failed === undefined || failed > calls) continue;
      const age = Math.round(ageMs / this.#pieceMs);
      if (age < PIECES) this.#count(Math.floor(now / this.#pieceMs) - age, calls, failed);
    }
  }

  #count(index: number, calls: number, failed: number): void {
    const piece = this.#pieces[((index % PIECES) + PIECES) % PIECES];
    if (!piece) return;
    if (piece.index !== index) {
      piece.index = index;
      piece.calls = 0;
      piece.failed = 0;
    }
    piece.calls += calls;
    piece.failed += failed;
  }
}
