/** When a schedule is due: a sequence of slots in order of time. */
import { nextWall, runsEveryHour, type CronFields } from './cron-expression';
import type { Zone } from './zone';

/** One time at which a schedule is due. */
export interface Slot {
  /** Milliseconds since 1970 UTC. */
  readonly due: number;
  /**
   * `gap`: its wall time does not exist on that day; `due` is the moment the clock leaps over it.
   * `repeat`: the wall shows its time for the second time.
   */
  readonly dst?: 'gap' | 'repeat';
}

export interface Slots {
  /** The first slot later than `after`; undefined when none comes within nine years. */
  next(after: number): Slot | undefined;
}

/** Counted from 1970-01-01T00:00Z, so that neither a restart nor a redeploy shifts it. */
export function intervalSlots(everyMs: number): Slots {
  return { next: (after) => ({ due: (Math.floor(after / everyMs) + 1) * everyMs }) };
}

export function cronSlots(fields: CronFields, zone: Zone): Slots {
  const elapsed = runsEveryHour(fields);

  /** Slots of the hour that the clock is about to repeat; the ordinary search looks past them. */
  const repeated = (after: number): Slot | undefined => {
    const overlap = zone.overlapAfter(after);
    if (!overlap) return undefined;
    const wall = nextWall(fields, overlap.at + overlap.after - 1);
    if (wall === undefined || wall >= overlap.at + overlap.before) return undefined;
    return slot(wall - overlap.after, 'repeat');
  };

  const slot = (due: number, dst: 'gap' | 'repeat'): Slot => (elapsed ? { due } : { due, dst });

  const inGap = (wall: number): Slot | undefined => {
    const change = zone.gapAt(wall);
    if (!change) return undefined;
    const first = nextWall(fields, change.at + change.after - 1);
    if (first === change.at + change.after) return { due: change.at };
    if (!elapsed) return { due: change.at, dst: 'gap' };
    return first === undefined ? undefined : { due: first - change.after };
  };

  const ordinary = (after: number): Slot | undefined => {
    const wall = nextWall(fields, after + zone.offsetAt(after));
    if (wall === undefined) return undefined;
    const instants = zone.instantsOf(wall);
    const due = instants.find((instant) => instant > after);
    if (due === undefined) return inGap(wall);
    return instants.indexOf(due) > 0 ? slot(due, 'repeat') : { due };
  };

  return {
    next(after) {
      const [a, b] = [ordinary(after), repeated(after)];
      return a && b ? (b.due < a.due ? b : a) : (a ?? b);
    },
  };
}

/** More slots than this are not counted one by one. */
const COUNTED = 2000;

export interface Overdue {
  /** The newest slots, oldest first. */
  readonly newest: readonly Slot[];
  /** How many are due in all; undefined when there are more than 2,000. */
  readonly total: number | undefined;
}

/** Slots in (from, to]: the newest `want` and their number, without walking through years of seconds. */
export function overdueSlots(slots: Slots, from: number, to: number, want: number): Overdue {
  const all = walk(slots, from, to, COUNTED);
  if (all.length < COUNTED) return { newest: want > 0 ? all.slice(-want) : [], total: all.length };
  for (let span = 60_000; ; span *= 4) {
    const start = Math.max(from, to - span);
    const found = walk(slots, start, to, Infinity);
    if (found.length >= want || start === from) {
      return { newest: want > 0 ? found.slice(-want) : [], total: undefined };
    }
  }
}

function walk(slots: Slots, from: number, to: number, limit: number): Slot[] {
  const found: Slot[] = [];
  for (let one = slots.next(from); one && one.due <= to && found.length < limit; one = slots.next(one.due)) {
    found.push(one);
  }
  return found;
}
