/**
 * The youngest records of a queue, kept in memory until they are leased: a consumer that keeps up never reads the
 * disk. Bounded by a budget that all queues share; when that is used up, the disk is read.
 */
import type { Row } from './rows';

export interface Budget {
  left: number;
}

export class Tail {
  readonly #budget: Budget;
  #rows: (Buffer | undefined)[] = [];
  /** Position of the first entry of `#rows`. */
  #first: number;
  #bytes = 0;

  constructor(budget: Budget, next: number) {
    this.#budget = budget;
    this.#first = next;
  }

  add(seq: number, row: Buffer): void {
    if (row.length > this.#budget.left || seq !== this.#first + this.#rows.length) {
      this.clear(seq + 1);
      return;
    }
    this.#rows.push(row);
    this.#bytes += row.length;
    this.#budget.left -= row.length;
  }

  /** Whether every record from `seq` on is here. */
  covers(seq: number): boolean {
    return seq >= this.#first;
  }

  /** The first record at or after `seq`; only where `covers(seq)`. */
  from(seq: number): Row | undefined {
    const row = this.#rows[seq - this.#first];
    return row && { seq, row };
  }

  /** Lets go of what lies before `seq`. */
  dropBefore(seq: number): void {
    const gone = Math.min(seq - this.#first, this.#rows.length);
    if (gone <= 0) return;
    for (let i = 0; i < gone; i += 1) this.#free(this.#rows[i]);
    this.#rows = this.#rows.slice(gone);
    this.#first += gone;
  }

  /** Holds nothing; the next record is `next`. */
  clear(next: number): void {
    this.#budget.left += this.#bytes;
    this.#bytes = 0;
    this.#rows = [];
    this.#first = next;
  }

  #free(row: Buffer | undefined): void {
    if (!row) return;
    this.#bytes -= row.length;
    this.#budget.left += row.length;
  }
}
