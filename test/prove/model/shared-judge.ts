/** Holds what a broker answers against what is known of each record. */
import type { QueueOptions } from '../../../lib/queue';
import { bodyOf, type Action } from './actions';
import { Violation } from './judge';
import { inDead, inQueue, isLast, moved, sum, type Known, type Manners, type Place } from './shared';
import { settled, type Settling } from './shared-settle';

/** Before the question and after the answer: on the clock of the leases, and on the one that counts delays. */
export interface Span {
  readonly began: number;
  readonly ended: number;
  readonly delayBegan: number;
  readonly delayEnded: number;
}
/** A timer of a busy process fires late; time that is skipped is exact. */
export const LATE_MS = 1000;

export interface Seen {
  readonly id: string;
  readonly body: string;
  readonly delivery: number;
  readonly history: readonly string[];
}

export class SharedJudge {
  readonly known = new Map<string, Known>();
  /** A crash left something unsure, totals among it. */
  crashed = false;
  /** Deliveries that were counted and reached nobody. */
  unseen = 0;
  /** A replay ended half-way, because the queue was full. */
  partial = false;
  readonly counted = { put: 0, acknowledged: 0 };
  #now = 0;
  #order = 0;
  #lastFirst = 0;

  constructor(
    readonly options: QueueOptions,
    readonly manners: Manners,
  ) {}

  /** Ends what is surely over. */
  pass(now: number, delayNow: number): void {
    this.#now = now;
    for (const one of this.known.values()) {
      if (one.state === 'leased' && one.until <= now) this.#free(one);
      else if (one.state === 'delayed' && one.until <= delayNow) one.state = 'free';
      if (!this.#isLeased(one)) this.#mayHaveDied(one);
    }
  }

  put({ id, failed }: Action & { readonly do: 'put' }, answer: string | undefined): void {
    const [least, most] = sum(this.known.values(), inQueue);
    const before = this.known.get(id);
    if (answer === 'duplicate' || before) return this.#again(id, before, answer);
    const { maxRecords, whenFull } = this.options;
    const limit = maxRecords === 0 ? Infinity : maxRecords;
    const soft = this.manners.limitIsSoft;
    const mayRefuse = most >= (soft ? Math.min(limit - 1, Math.floor(limit * 0.8)) : limit);
    const mustRefuse = !soft && least >= limit;
    const refused = answer === 'QUEUE_FULL' || answer === 'dropped';
    if (refused && !mayRefuse) throw new Violation(`put answered ${answer} with ${most} of ${limit} records`);
    if (answer === 'dropped') this.counted.put += 1;
    if (refused) return;
    if (mustRefuse && whenFull !== 'dropOldest' && answer === 'stored')
      throw new Violation(`put stored a record beyond the limit of ${limit}`);
    if (mayRefuse && whenFull === 'dropOldest') this.#dropOldest(mustRefuse && answer === 'stored');
    if (answer === 'stored') this.counted.put += 1;
    const places = [{ queue: 1, dead: 0 }, ...(answer === undefined ? [{ queue: 0, dead: 0 }] : [])];
    const history = Array.from({ length: failed }, (_, i) => `before ${i}`);
    const times = { unsure: false, placeKnown: true, others: new Set<number>(), from: 0, until: 0, hold: -1 };
    this.#order += 1;
    const fresh = { order: this.#order, low: 0, high: 0, untouched: true, state: 'free' as const };
    this.known.set(id, { id, places, history, ...fresh, ...times });
  }

  /** `holds`: leases that the sequence got before. */
  lease(
    action: Action & { readonly do: 'lease' },
    seen: readonly Seen[] | undefined,
    span: Span,
    holds: number,
  ): void {
    if (!seen) {
      for (const one of this.known.values()) if (!this.#isLeased(one)) this.#perhapsDelivered(one);
      return;
    }
    if (seen.length > action.max) throw new Violation(`a lease of ${action.max} gave ${seen.length}`);
    const now = new Set<Known>();
    seen.forEach((record, i) => {
      const one = this.#delivered(record, span);
      if (this.options.ordered) this.#inOrder(one, now, span);
      now.add(one);
      // A second copy, with a token of its own.
      if (one.state === 'leased' && one.hold >= 0) one.others.add(one.hold);
      const [from, until] = [span.began + action.visibilityMs, span.ended + action.visibilityMs + LATE_MS];
      Object.assign(one, { state: 'leased', from, until, hold: holds + i });
    });
  }

  /** Undefined: the lease may or may not have been settled. */
  settle(action: Settling, hold: number, attempt: string, answer: boolean | undefined, span: Span): void {
    const copy = [...this.known.values()].find((some) => some.others.has(hold));
    if (copy) return this.#settleCopy(copy, hold, action, answer);
    const one = [...this.known.values()].find((some) => some.state === 'leased' && some.hold === hold);
    if (answer === true && !one) throw new Violation(`${action.do} took a token that is worthless`);
    if (!one) return;
    if (answer === false) {
      if (span.ended < one.from)
        throw new Violation(`${action.do} refused the token of ${one.id}, which holds`);
      return this.#free(one);
    }
    if (answer && action.do === 'acknowledge') this.counted.acknowledged += 1;
    settled(one, action, attempt, answer === true, span, this.options);
  }

  purged(count: number | undefined): void {
    let [least, most] = [0, 0];
    for (const one of this.known.values()) {
      if (this.#isLeased(one)) continue;
      const sure = one.untouched && count !== undefined;
      const [low, high] = inQueue(one);
      if (sure) least += low;
      most += high;
      one.places = moved(one.places, (place) => [{ ...place, queue: 0 }, ...(sure ? [] : [place])]);
    }
    if (count !== undefined && (count < least || count > most))
      throw new Violation(`purge removed ${count}, of ${least} to ${most}`);
  }

  /** Of these letters or of all. Fewer than all where the queue was full, or a crash came between. */
  replayed(count: number | undefined, ids = [...this.known.keys()]): void {
    const some = ids.map((id) => this.known.get(id)).filter((one) => one !== undefined);
    const [least, most] = sum(some, inDead);
    if (count !== undefined && (count < least || count > most))
      throw new Violation(`replay brought ${count} back, of ${least} to ${most}`);
    this.counted.put += count ?? 0;
    this.partial ||= count === undefined;
    this.#order += 1;
    for (const one of some) {
      const [fewest, largest] = inDead(one);
      if (count === least) one.places = one.places.filter(({ dead }) => dead === fewest);
      else if (count === most) one.places = one.places.filter(({ dead }) => dead === largest);
      const unsure = inDead(one)[0] < inDead(one)[1];
      if (inDead(one)[1] > 0) this.#replay(one, count !== undefined, unsure);
    }
  }

  purgedDead(id: string, sure: boolean): void {
    const one = this.known.get(id);
    if (one) one.places = moved(one.places, (place) => [{ ...place, dead: 0 }, ...(sure ? [] : [place])]);
  }

  /** The handle was closed in order. */
  closed(): void {
    for (const one of this.known.values()) {
      if (!this.manners.keepsHistory && !one.untouched && inQueue(one)[1] > 0) one.history = undefined;
      if (one.state === 'leased') {
        one.low = Math.max(0, one.low - 1);
        if (!this.manners.closeCounts && this.#isLeased(one) && !one.unsure) one.high -= 1;
        this.#free(one);
      } else if (!one.untouched && this.manners.closeCounts) this.#mayCount(one);
      if (one.state === 'delayed' && !this.manners.serverDelays) this.#free(one);
    }
  }

  /** The connection or the server is gone: what was out comes back when the broker notices. */
  lost(server: boolean): void {
    this.crashed = true;
    for (const one of this.known.values()) {
      if (one.state === 'leased' || (one.state === 'delayed' && !this.manners.serverDelays)) {
        one.low -= one.state === 'leased' ? 1 : 0;
        one.state = 'orphan';
        this.#mayHaveDied(one);
      } else if (!one.untouched && this.manners.closeCounts) this.#mayCount(one);
      if (!this.manners.keepsHistory && !one.untouched) one.history = undefined;
      // A server that was killed may not remember the last moments: it may deliver once more what had ended.
      if (server)
        one.places = moved(one.places, (place) => [
          place,
          ...(place.queue === 0 ? [{ ...place, queue: 1 }] : []),
        ]);
      if (server) Object.assign(one, { low: 0, history: undefined, untouched: false });
    }
  }

  counts(there: number, dead: number): void {
    const [least, most] = sum(this.known.values(), inQueue);
    const [fewest, mostDead] = sum(this.known.values(), inDead);
    if ((there < least && !this.manners.countsLag) || there > most)
      throw new Violation(`${there} records are there, of ${least} to ${most}`);
    if (dead < fewest || dead > mostDead)
      throw new Violation(`${dead} dead letters are there, of ${fewest} to ${mostDead}`);
  }

  /** All dead letters. */
  listed(letters: readonly { readonly id: string; readonly history: readonly string[] }[]): void {
    for (const one of this.known.values()) {
      const count = letters.filter(({ id }) => id === one.id).length;
      const fits = one.places.filter(({ dead }) => dead === count);
      if (fits.length === 0) throw new Violation(`${one.id} stands ${count} times among the dead letters`);
      one.places = fits;
    }
    const strange = letters.find(({ id }) => !this.known.has(id));
    if (strange) throw new Violation(`${strange.id} stands among the dead letters and was never put`);
  }

  /** The queue says that nothing is left in it. */
  empty(): void {
    for (const one of this.known.values()) {
      if (inQueue(one)[0] > 0) throw new Violation(`${one.id} is lost`);
      one.places = one.places.filter(({ queue }) => queue === 0);
    }
  }

  #settleCopy(one: Known, hold: number, action: Settling, answer: boolean | undefined): void {
    one.others.delete(hold);
    one.history = undefined;
    if (answer === false || action.do === 'extend') return;
    this.crashed = true;
    const dead = action.do === 'acknowledge' ? 0 : 1;
    const ended = moved(one.places, (place) =>
      place.queue > 0
        ? [place, { queue: place.queue - 1, dead: place.dead + dead }, { ...place, queue: place.queue - 1 }]
        : [place],
    );
    one.places = ended;
  }

  /** What may still be there. */
  summary(): string {
    const there = [...this.known.values()].filter((one) => inQueue(one)[1] > 0);
    return there.map(({ id, state, low, high }) => `${id} ${state}, delivered ${low} to ${high}`).join('; ');
  }

  #again(id: string, before: Known | undefined, answer: string | undefined): void {
    if (!before) throw new Violation(`put called ${id} a duplicate, which was never put`);
    const sure = before.places.every(({ queue, dead }) => queue + dead > 0) && !this.crashed;
    if (answer === 'duplicate') return;
    if (answer !== 'stored') return;
    if (sure) throw new Violation(`put stored ${id} twice within the window`);
    this.counted.put += 1;
    before.places = moved(before.places, (place) => [{ ...place, queue: place.queue + 1 }]);
    Object.assign(before, { low: 0, untouched: false, history: undefined });
  }

  #delivered({ id, body, delivery, history }: Seen, span: Span): Known {
    const one = this.known.get(id);
    if (!one) throw new Violation(`${id} was delivered and never put`);
    const places = one.places.filter(({ queue }) => queue > 0);
    if (places.length === 0) throw new Violation(`${id} was delivered after it had ended`);
    const single = inQueue(one)[1] < 2;
    if (single && one.state === 'leased' && span.ended < one.from)
      throw new Violation(`${id} was delivered while it is leased`);
    if (single && one.state === 'delayed' && span.delayEnded < one.from)
      throw new Violation(`${id} was delivered before its delay was over`);
    if (delivery > one.high + 1 && this.#mayMiss()) this.unseen += 1;
    else if (delivery < (single && !one.unsure ? one.low : 0) + 1 || delivery > one.high + 1)
      throw new Violation(`${id} came as delivery ${delivery}, after ${one.low} to ${one.high}`);
    if (this.options.maxDeliveries > 0 && delivery > this.options.maxDeliveries)
      throw new Violation(`${id} came as delivery ${delivery} of at most ${this.options.maxDeliveries}`);
    if (one.untouched && one.order < this.#lastFirst) throw new Violation(`${id} came out of order`);
    if (one.untouched) this.#lastFirst = one.order;
    if (![false, true].some((edited) => body === textOf(id, body.length, edited)))
      throw new Violation(`the body of ${id} is ${body}`);
    if (single && one.history && history.join() !== one.history.join())
      throw new Violation(`the history of ${id} is ${history.join()}, not ${one.history.join()}`);
    // Of several copies each has a count of its own.
    const counts =
      single && !one.unsure
        ? { low: delivery, high: delivery }
        : { low: 0, high: Math.max(one.high + 1, delivery) };
    // Another copy may tell something else.
    const alone = places.every(({ queue, dead }) => queue + dead === 1);
    const told = !one.unsure && alone ? history : undefined;
    Object.assign(one, { places, ...counts, untouched: false, history: told });
    return one;
  }

  #inOrder(one: Known, now: ReadonlySet<Known>, span: Span): void {
    for (const other of this.known.values()) {
      if (other === one || now.has(other) || inQueue(other)[0] === 0 || this.crashed) continue;
      const leased = other.state === 'leased' && span.ended < other.from;
      const delayed = other.state === 'delayed' && span.delayEnded < other.from;
      const before = one.placeKnown && other.placeKnown && other.order < one.order;
      if (leased || delayed || (before && (other.untouched || this.manners.keepsPlace)))
        throw new Violation(`${one.id} overtook ${other.id}, which is ${other.state}`);
    }
  }

  /** A broker that cannot hand over a delivery may also take back the count of an earlier one. */
  #perhapsDelivered(one: Known): void {
    one.low = 0;
    one.high += 1;
    if (this.manners.forgetsCounts) Object.assign(one, { unsure: true, history: undefined });
    one.untouched = false;
    if (one.state !== 'delayed') one.state = 'orphan';
    this.#mayHaveDied(one);
  }

  /** `sure`: the call told its count. `perhaps`: this one may not be among those that it counts. */
  #replay(one: Known, sure: boolean, perhaps: boolean): void {
    const clean = sure && !perhaps && inDead(one)[0] > 0 && inQueue(one)[1] === 0;
    one.places = moved(one.places, (place) => {
      if (place.dead === 0) return [place];
      const back: Place = { queue: place.queue + place.dead, dead: 0 };
      if (sure) return perhaps ? [back, place] : [back];
      return [back, place, ...(this.crashed ? [{ ...place, queue: place.queue + 1 }] : [])];
    });
    Object.assign(one, { low: 0, untouched: clean, placeKnown: clean });
    if (clean) Object.assign(one, { order: this.#order, high: 0, state: 'free' });
    if (!clean || this.manners.replayForgets) one.history = undefined;
  }

  /** The oldest of those that the broker knows to be free: of what was delivered before, it may not know that. */
  #dropOldest(sure: boolean): void {
    const free = [...this.known.values()].filter((one) => !this.#isLeased(one) && inQueue(one)[1] > 0);
    const certain = sure && free.every((one) => one.untouched && inQueue(one)[0] > 0);
    free.sort((a, b) => a.order - b.order);
    for (const one of certain ? free.slice(0, 1) : free)
      one.places = moved(one.places, (place) => [{ ...place, queue: 0 }, ...(certain ? [] : [place])]);
  }

  /** It was released, and the broker hears only now that it is free: as of a failed delivery. */
  #mayCount(one: Known): void {
    one.high += 1;
    this.#mayHaveDied(one);
  }

  /** The server may count a delivery that reached nobody: seen where it hands out one record at a time. */
  #mayMiss(): boolean {
    return this.manners.missesDeliveries && this.options.ordered;
  }

  #isLeased(one: Known): boolean {
    return one.state === 'leased' && this.#now < one.from;
  }

  #free(one: Known): void {
    one.state = 'free';
    this.#mayHaveDied(one);
  }

  /** Delivered as often as may be: it dies now, or when somebody asks for it. */
  #mayHaveDied(one: Known): void {
    if (!isLast(one, this.options) && !(this.#mayMiss() && !one.untouched && this.options.maxDeliveries > 0))
      return;
    one.places = moved(one.places, (place) =>
      place.queue > 0 ? [place, { queue: place.queue - 1, dead: place.dead + 1 }] : [place],
    );
    one.history = undefined;
  }
}

function textOf(id: string, bytes: number, edited: boolean): string {
  return Buffer.from(bodyOf(id, bytes, edited)).toString();
}
