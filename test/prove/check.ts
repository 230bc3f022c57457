/**
 * Judges a ledger: what was accepted must be delivered and ended, or stand among the dead letters; the first deliveries
 * of a key keep its order; and only what was out when a process died may come again.
 */
import type { Ending, LedgerEvent, Totals } from './ledger';

export interface Verdict {
  /** Puts that the store confirmed. */
  readonly messages: number;
  readonly lost: readonly string[];
  /** Deliveries repeated because a process died with the record in its hands: allowed, within the window. */
  readonly duplicated: number;
  readonly disordered: readonly string[];
  /** Everything else that must not be. */
  readonly wrong: readonly string[];
}

interface Known {
  readonly id: string;
  readonly key: string;
  readonly n: number;
  stored: boolean;
  /** The store said that it did not store it, and nobody asked again. */
  refused: boolean;
  /** Number of its last delivery, and the run that saw it; 0 for none. */
  delivery: number;
  run: number;
  /** Delivered in this run and not ended. */
  out: boolean;
  /** How its last delivery was to end, and whether the store confirmed that. */
  ending: Ending | undefined;
  ended: boolean;
}

export interface CheckOptions {
  /** Most records that a process has in its hands. */
  readonly window: number;
  /** As the queue was opened with; 0 for no limit. */
  readonly maxDeliveries?: number;
}

/** Judges the ledger of one queue, over all processes that worked on it. */
export function check(events: Iterable<LedgerEvent>, options: CheckOptions): Verdict {
  const judge = new Judge(options.window, options.maxDeliveries ?? 0);
  for (const event of events) judge.hear(event);
  return judge.verdict();
}

class Judge {
  readonly #known = new Map<string, Known>();
  readonly #byKey = new Map<string, Known[]>();
  /** By key: the highest number delivered for the first time ever, and delivered at all in this run. */
  readonly #firsts = new Map<string, number>();
  readonly #inRun = new Map<string, number>();
  readonly #disordered: string[] = [];
  readonly #wrong: string[] = [];
  #runs = 0;
  /** By run: how many of the records that it had in its hands when it died came again. */
  readonly #again = new Map<number, number>();
  #duplicated = 0;
  /** Deliveries that the store counted but that nobody saw, because the process died before it could tell. */
  #unseen = 0;
  #dead: readonly string[] | undefined;

  constructor(
    readonly window: number,
    readonly maxDeliveries: number,
  ) {}

  hear(event: LedgerEvent): void {
    switch (event.e) {
      case 'run':
        return this.#run();
      case 'open':
      case 'trouble':
      case 'works':
      case 'other':
        return;
      case 'try':
        return this.#try(event);
      case 'put':
        return this.#put(event.id, event.result);
      case 'refused':
        return this.#refused(event.id);
      case 'got':
        return this.#got(event.id, event.key, event.delivery);
      case 'ending':
        return this.#end(event.id, event.how, undefined);
      case 'ended':
        return this.#end(event.id, event.how, event.ok);
      case 'drained':
        return this.#drained(event.dead, event.totals);
      case 'wrong':
        this.#wrong.push(event.text);
    }
  }

  verdict(): Verdict {
    const dead = new Set(this.#dead);
    if (!this.#dead) this.#wrong.push('The queue was never drained to its end.');
    const all = [...this.#known.values()];
    const lost = all.filter((one) => one.stored && !dead.has(one.id) && one.ending !== 'acknowledge');
    const { allowance } = this;
    if (this.#unseen > allowance)
      this.#wrong.push(
        `${this.#unseen} deliveries were counted that nobody saw; at most ${allowance} may be.`,
      );
    return {
      messages: all.filter((one) => one.stored).length,
      lost: lost.map((one) => one.id),
      duplicated: this.#duplicated,
      disordered: this.#disordered,
      wrong: this.#wrong,
    };
  }

  /** What all processes that died may have had in their hands. */
  private get allowance(): number {
    return this.window * Math.max(0, this.#runs - 1);
  }

  #run(): void {
    this.#runs += 1;
    this.#inRun.clear();
    for (const one of this.#known.values()) one.out = false;
  }

  #try(event: { readonly id: string; readonly key: string; readonly n: number }): void {
    const { id, key, n } = event;
    const before = this.#known.get(id);
    // A caller that had no answer, or a refusal, asks again with the same id.
    if (before) return void (before.refused = false);
    const known: Known = {
      ...{ id, key, n, stored: false, refused: false },
      ...{ delivery: 0, run: 0, out: false, ending: undefined, ended: false },
    };
    this.#known.set(id, known);
    const line = this.#byKey.get(key);
    if (line) line.push(known);
    else this.#byKey.set(key, [known]);
  }

  #refused(id: string): void {
    const known = this.#known.get(id);
    if (known) known.refused = !known.stored;
    else this.#wrong.push(`${id} was refused without having been put.`);
  }

  #put(id: string, result: string): void {
    const known = this.#known.get(id);
    if (!known) return void this.#wrong.push(`${id} was confirmed without having been put.`);
    if (result === 'dropped')
      return void this.#wrong.push(`${id} was dropped although the queue has no limit.`);
    known.stored = true;
  }

  #got(id: string, key: string, delivery: number): void {
    const known = this.#known.get(id);
    if (!known) return void this.#wrong.push(`${id} was delivered and never put.`);
    if (known.key !== key) this.#wrong.push(`${id} was put with key ${known.key} and came with ${key}.`);
    if (known.refused) this.#wrong.push(`${id} was delivered although its put was refused.`);
    if (known.out && known.ending === undefined) this.#wrong.push(`${id} was delivered while it was out.`);
    if (isSettled(known) && known.ended)
      this.#wrong.push(`${id} was delivered after its ${known.ending ?? ''} was confirmed.`);
    const returned =
      (known.ending === 'reject' || known.ending === 'release') && (known.ended || known.run === this.#runs);
    this.#count(known, delivery);
    this.#order(known, returned);
    if (known.delivery > 0 && !returned) this.#repeated(known);
    known.delivery = delivery;
    known.run = this.#runs;
    known.out = true;
    known.ending = undefined;
    known.ended = false;
  }

  /** The delivery number rises with every delivery; one that was released does not count. */
  #count(known: Known, delivery: number): void {
    const released = known.ending === 'release' && known.delivery > 0;
    const expected = known.delivery + (released ? 0 : 1);
    if (delivery < expected)
      this.#wrong.push(`${known.id} came as delivery ${delivery} after delivery ${known.delivery}.`);
    // A release without an answer may or may not have been counted back.
    const unsure = released && !known.ended ? 1 : 0;
    this.#unseen += Math.max(0, delivery - expected - unsure);
  }

  #repeated({ id, run }: Known): void {
    this.#duplicated += 1;
    const again = (this.#again.get(run) ?? 0) + 1;
    this.#again.set(run, again);
    if (run === this.#runs) this.#wrong.push(`${id} came again although no process had died.`);
    if (again === this.window + 1)
      this.#wrong.push(`More than ${this.window} records of one process that died came again.`);
  }

  #order(known: Known, returned: boolean): void {
    const { id, key, n } = known;
    const line = this.#byKey.get(key) ?? [];
    while (line[0]?.ended === true && isSettled(line[0])) line.shift();
    const before = line.find(
      (one) => one.n < n && one.stored && !one.out && !isSettled(one) && !this.#exhausted(one),
    );
    if (before) this.#disordered.push(`${id} overtook ${before.id}.`);
    const [first, latest] = [this.#firsts.get(key) ?? -1, this.#inRun.get(key) ?? -1];
    if (known.delivery === 0 && n < first)
      this.#disordered.push(`${id} came for the first time after number ${first} of its key.`);
    else if (!returned && n < latest)
      this.#disordered.push(`${id} came again after number ${latest} of its key.`);
    this.#firsts.set(key, Math.max(n, first));
    this.#inRun.set(key, Math.max(n, latest));
  }

  #end(id: string, how: Ending, ok: boolean | undefined): void {
    const known = this.#known.get(id);
    if (!known) return void this.#wrong.push(`${id} ended and was never put.`);
    known.ending = how;
    if (ok === undefined) return;
    if (!ok) return void this.#wrong.push(`${id}: the store said of its ${how} that the lease was lost.`);
    known.ended = true;
    known.out = false;
  }

  #drained(dead: readonly string[], totals: Totals): void {
    this.#dead = dead;
    const seen = new Set<string>();
    for (const id of dead) {
      const known = this.#known.get(id);
      if (!known) this.#wrong.push(`${id} is a dead letter and was never put.`);
      else if (known.ending === 'acknowledge' && known.ended)
        this.#wrong.push(`${id} is a dead letter although it was acknowledged.`);
      else if (known.ending !== 'deadLetter' && !this.#exhausted(known))
        this.#wrong.push(`${id} is a dead letter and nobody made it one.`);
      if (seen.has(id)) this.#wrong.push(`${id} is a dead letter twice.`);
      seen.add(id);
    }
    const { put, acknowledged, died, dropped, there } = totals;
    if (put !== acknowledged + died + dropped + there || there !== 0 || dropped !== 0)
      this.#wrong.push(`The totals do not add up: ${JSON.stringify(totals)}.`);
    this.#bounds(totals);
  }

  /** One more delivery than was seen may have been counted in each run. */
  #exhausted(known: Known): boolean {
    return this.maxDeliveries > 0 && known.delivery + this.#runs - 1 >= this.maxDeliveries;
  }

  /** What was confirmed must be counted; what was asked without an answer may be. */
  #bounds(totals: Totals): void {
    const all = [...this.#known.values()];
    const within = (name: string, value: number, low: number, high: number): void => {
      if (value < low || value > high)
        this.#wrong.push(`The totals count ${value} ${name}; it must be ${low} to ${high}.`);
    };
    within('puts', totals.put, all.filter((one) => one.stored).length, all.length);
    const of = (how: Ending): Known[] => all.filter((one) => one.ending === how);
    const sure = (how: Ending): number => of(how).filter((one) => one.ended).length;
    within('acknowledged', totals.acknowledged, sure('acknowledge'), of('acknowledge').length);
    within('dead', totals.died, sure('deadLetter'), all.length);
  }
}

function isSettled(known: Known): boolean {
  return known.ending === 'acknowledge' || known.ending === 'deadLetter';
}
