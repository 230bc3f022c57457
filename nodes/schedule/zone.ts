/**
 * Offsets of a time zone from the runtime's own tz database. "Wall" times are what the clock on the wall
 * shows, written as milliseconds since 1970 as if that clock were UTC.
 */

/** No change of offset in the tz database repeats or leaps over more than one day. */
const REACH = 26 * 3_600_000;

/** A jump of the wall clock: forward when `after` is larger than `before` (milliseconds east of UTC). */
export interface Change {
  /** The first instant with the new offset. */
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

export class Zone {
  readonly #format: Intl.DateTimeFormat;

  /** `name` is an IANA name; '' means the zone of the runtime. Throws a RangeError for an unknown name. */
  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      ...(name === '' ? {} : { timeZone: name }),
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  get name(): string {
    return this.#format.resolvedOptions().timeZone;
  }

  /** Milliseconds to add to an instant to get the wall time. */
  offsetAt(instant: number): number {
    const whole = Math.floor(instant / 1000) * 1000;
    const field: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(whole)) field[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field;
    return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
  }

  /** The instants at which the wall shows this time, in order: none in a gap, two in an overlap. */
  instantsOf(wall: number): readonly number[] {
    const before = this.offsetAt(wall - REACH);
    const after = this.offsetAt(wall + REACH);
    if (before === after) return [wall - before];
    return [...new Set([before, after])]
      .filter((offset) => this.offsetAt(wall - offset) === offset)
      .map((offset) => wall - offset)
      .sort((a, b) => a - b);
  }

  /** The change that makes the wall leap over this time. */
  gapAt(wall: number): Change | undefined {
    return this.#change(wall - REACH, wall + REACH);
  }

  /** The next change when the wall already shows, for the first time, an hour that this change will repeat. */
  overlapAfter(instant: number): Change | undefined {
    const change = this.#change(instant, instant + REACH);
    if (!change || change.after >= change.before) return undefined;
    return instant >= change.at - (change.before - change.after) ? change : undefined;
  }

  #change(from: number, to: number): Change | undefined {
    const before = this.offsetAt(from);
    const after = this.offsetAt(to);
    if (before === after) return undefined;
    let low = from;
    let high = to;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    return { at: high, before, after };
  }
}
