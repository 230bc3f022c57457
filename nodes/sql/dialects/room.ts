/** Memory for one result that is not sent in parts: a large table must not fill the heap that all flows share. */
export const MOST_BYTES = 64 * 1024 * 1024;
/** What a value without a length of its own takes in an array, roughly. */
const CELL_BYTES = 16;

/** `classify` names it; as plain properties it also crosses threads. */
export class TooLarge extends Error {
  readonly code = 'RESULT_TOO_LARGE';
}

export class Room {
  #left: number;

  constructor(bytes: number = MOST_BYTES) {
    this.#left = bytes;
  }

  get full(): boolean {
    return this.#left < 0;
  }

  /** Counts a value; false when there was no room for it. */
  fits(value: unknown): boolean {
    if (typeof value === 'string') this.#left -= CELL_BYTES + value.length;
    else this.#left -= CELL_BYTES + (value instanceof Uint8Array ? value.byteLength : 0);
    return this.#left >= 0;
  }

  /** Counts a value that must fit. */
  take(value: unknown): void {
    if (!this.fits(value)) throw new TooLarge('the result is too large');
  }
}
