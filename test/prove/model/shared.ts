/**
 * A queue on a broker, as far as it can be known: each record is in some of the places where it may be. Brokers answer
 * less exactly than a store of our own, so this model is led by what they show, and forbids what must never be: a
 * loss, a delivery after the end, a wrong order of first deliveries, two leases at a time, a wrong count.
 */
import type { QueueOptions } from '../../../lib/queue';

/** Copies in the queue and among the dead letters. More than one only where a crash may leave both. */
export interface Place {
  readonly queue: number;
  readonly dead: number;
}

export interface Known {
  readonly id: string;
  /** Rises with each put and replay; those of one replay may come in any order. */
  order: number;
  /** Else it may have come back by a replay, or not. */
  placeKnown: boolean;
  places: readonly Place[];
  /** Deliveries that count: at least, at most. */
  low: number;
  high: number;
  /** Nobody can have had it since it was put. */
  untouched: boolean;
  state: 'free' | 'leased' | 'delayed' | 'orphan';
  /** When lease or delay end: not before, surely by. */
  from: number;
  until: number;
  hold: number;
  /** Leases of further copies. */
  readonly others: Set<number>;
  /** The broker may have lost the count of its deliveries, and with it its history. */
  unsure: boolean;
  /** Attempts that it surely had; undefined when a crash made them unsure. */
  history: readonly string[] | undefined;
}

/** Where brokers differ from one another. */
export interface Manners {
  /** A close of the handle may count as a delivery. */
  readonly closeCounts: boolean;
  /** Refuses a little before or after the limit. */
  readonly limitIsSoft: boolean;
  /** Delays are counted by the server in real time, and outlive a lost connection. */
  readonly serverDelays: boolean;
  /** What comes back goes to its place in the order, not to the end of what came back. */
  readonly keepsPlace: boolean;
  /** A delivery may be counted that reached nobody; the record comes later. */
  readonly missesDeliveries: boolean;
  /** A connection that is lost during a delivery may cost the count of earlier ones, and the history with it. */
  readonly forgetsCounts: boolean;
  /** What came back by replay may have no history. */
  readonly replayForgets: boolean;
  /** What was just given back is missing in the counts for a moment. */
  readonly countsLag: boolean;
  /** Attempts are kept where every gateway sees them. */
  readonly keepsHistory: boolean;
}

export function inQueue(one: Known): readonly [least: number, most: number] {
  const counts = one.places.map(({ queue }) => queue);
  return [Math.min(...counts), Math.max(...counts)];
}

export function inDead(one: Known): readonly [least: number, most: number] {
  const counts = one.places.map(({ dead }) => dead);
  return [Math.min(...counts), Math.max(...counts)];
}

export function sum(
  all: Iterable<Known>,
  count: (one: Known) => readonly [number, number],
): readonly [least: number, most: number] {
  let [least, most] = [0, 0];
  for (const one of all) {
    const [low, high] = count(one);
    least += low;
    most += high;
  }
  return [least, most];
}

/** Each place becomes those that `change` makes of it; equal ones are kept once. */
export function moved(
  places: readonly Place[],
  change: (place: Place) => readonly Place[],
): readonly Place[] {
  const found = new Map<string, Place>();
  for (const place of places.flatMap(change)) found.set(`${place.queue} ${place.dead}`, place);
  return [...found.values()];
}

export function isLast(one: Known, { maxDeliveries }: QueueOptions): boolean {
  return maxDeliveries > 0 && one.high >= maxDeliveries;
}
