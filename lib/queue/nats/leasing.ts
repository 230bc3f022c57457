/** Leases records and settles them. */
import { randomBytes } from 'node:crypto';
import type { Attempt, Leased, LeaseOptions } from '../types';
import { rememberReturned, type Bed } from './bed';
import { confirmAck, giveBack, type Delivered } from './delivered';
import type { Held } from './held';
import { NO_NOTE } from './notes';
import { Orphans } from './orphans';
import { pull } from './pull';
import { MOST_ATTEMPTS, readHistory, readRecord } from './record';

/** Most records of one fetch. */
const MOST_AT_ONCE = 10_000;
/** How long a fetch waits that the line's only place may block; the server does not refuse it at once. */
const BUSY_LINE_MS = 50;
/** Fetches of one lease when all that came were dead; the rest comes with the next lease. */
const MOST_ROUNDS = 20;

export class Leasing {
  readonly #nonce = randomBytes(6).toString('base64url');
  readonly #orphans: Orphans;
  #count = 0;

  constructor(readonly bed: Bed) {
    this.#orphans = new Orphans(bed);
  }

  async lease({ max, visibilityMs }: LeaseOptions): Promise<readonly Leased[]> {
    if (max < 1) return [];
    const batch = this.bed.options.ordered ? 1 : Math.min(Math.floor(max), MOST_AT_ONCE);
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const busy = this.bed.options.ordered && (await this.#isLineBusy());
      const sent = this.bed.session.clock.mono();
      const got = this.#once(await pull(this.bed.session, this.bed.names, batch, busy ? BUSY_LINE_MS : 0));
      if (got.length === 0 && !busy && (await this.#orphans.rescue()) > 0) continue;
      if (got.length === 0) return [];
      const opened = await Promise.all(got.map((one) => this.#open(one)));
      const alive: Held[] = [];
      for (const held of opened) if (!(await this.#buriedAtOnce(held))) alive.push(held);
      for (const held of alive) this.bed.held.add(held, visibilityMs, sent);
      if (alive.length > 0) return alive.map(leasedOf);
    }
    this.bed.hints.ready();
    return [];
  }

  async acknowledge(token: string): Promise<boolean> {
    const held = this.bed.held.take(token);
    if (!held) return false;
    await this.#end(held);
    this.#next();
    return true;
  }

  async reject(token: string, attempt: Attempt | undefined, delayMs: number): Promise<boolean> {
    const held = this.bed.held.take(token);
    if (!held) return false;
    const history = attempt ? withAttempt(held.history, attempt) : held.history;
    const { maxDeliveries } = this.bed.options;
    if (maxDeliveries > 0 && held.delivery >= maxDeliveries) {
      await this.bury(held, attempt ? history : withAttempt(history, this.#exhausted(held.delivery)));
      return true;
    }
    if (attempt) await this.bed.notes.write(this.bed.names, held.delivered.seq, { ...held.note, history });
    await this.#giveBack(held, delayMs);
    return true;
  }

  async release(token: string): Promise<boolean> {
    const held = this.bed.held.take(token);
    if (!held) return false;
    const released = held.note.released + 1;
    const note = { history: held.history, released };
    await this.bed.notes.write(this.bed.names, held.delivered.seq, note);
    await this.#giveBack(held, 0);
    return true;
  }

  async deadLetter(token: string, attempt: Attempt): Promise<boolean> {
    const held = this.bed.held.take(token);
    if (!held) return false;
    await this.bury(held, withAttempt(held.history, attempt));
    return true;
  }

  /** Stored as a dead letter first, then ended: a crash between leaves both, and the next burial is the same letter. */
  async bury(held: Held, history: readonly Attempt[]): Promise<void> {
    const { graves, name, names, options, tally, hints } = this.bed;
    const { seq, storedAt } = held.delivered;
    const { isNew } = await graves.bury({
      queue: name,
      entry: held.entry,
      attempts: held.delivery,
      history,
      owner: options.owner,
      once: `${names.stream} ${seq} ${storedAt} ${held.entry.id}`,
    });
    await this.#end(held);
    if (isNew) hints.tell({ what: 'died', count: 1 });
    await tally.add({ died: 1 });
    this.#next();
  }

  /** Gives back everything that this handle leased. */
  async releaseAll(): Promise<void> {
    const { held, notes, names } = this.bed;
    await Promise.all(
      held.takeAll().map(async (one) => {
        const note = { history: one.history, released: one.note.released + 1 };
        // What cannot be given back now comes back when the server's patience ends.
        await notes.write(names, one.delivered.seq, note).catch(() => {});
        await this.#giveBack(one, 0).catch(() => {});
      }),
    );
  }

  async #end(held: Held): Promise<void> {
    const { session, notes, names, returned } = this.bed;
    await confirmAck(session, held.delivered);
    returned.delete(held.delivered.seq);
    if (held.delivered.count > 1) await notes.drop(names, held.delivered.seq);
  }

  /** In one line, the end of one record is what lets the next go. */
  #next(): void {
    if (this.bed.options.ordered) this.bed.hints.ready();
  }

  async #giveBack(held: Held, delayMs: number): Promise<void> {
    const { session, hints, returned } = this.bed;
    await giveBack(session, held.delivered, delayMs);
    rememberReturned(this.bed, held.delivered.seq, delayMs);
    if (delayMs <= 0) hints.ready();
    else session.clock.timer(delayMs, () => returned.has(held.delivered.seq) && hints.ready());
  }

  async #open(delivered: Delivered): Promise<Held> {
    const { notes, names } = this.bed;
    const { msg, seq, count, storedAt } = delivered;
    const note = count > 1 ? await notes.read(names, seq) : NO_NOTE;
    this.bed.returned.delete(seq);
    this.#count += 1;
    return {
      token: `${seq}.${this.#count}.${this.#nonce}`,
      delivered,
      entry: readRecord(msg.headers, msg.data, { id: `nats:${names.stream}:${seq}`, time: storedAt }),
      delivery: Math.max(1, count - note.released),
      history: note.history.length > 0 ? note.history : readHistory(msg.headers),
      note,
    };
  }

  /** After a lost connection the server may hand out a record twice, also within one fetch: one delivery is enough. */
  #once(got: readonly Delivered[]): readonly Delivered[] {
    const leased = this.bed.held.seqs();
    const best = new Map<number, Delivered>();
    for (const one of got)
      if (!leased.has(one.seq) && one.count > (best.get(one.seq)?.count ?? 0)) best.set(one.seq, one);
    return [...best.values()];
  }

  /** The record that is out may be leased, delayed, or given back by a gateway: only a fetch tells. */
  async #isLineBusy(): Promise<boolean> {
    const { session, names } = this.bed;
    const info = await session.run(() => session.jsm.consumers.info(names.stream, names.consumer));
    return info.num_ack_pending > 0;
  }

  /** Ends records that were delivered too often or waited too long, before anybody gets them. */
  async #buriedAtOnce(held: Held): Promise<boolean> {
    const { maxDeliveries, maxAgeMs, whenOld } = this.bed.options;
    if (maxDeliveries > 0 && held.delivery > maxDeliveries) {
      // The delivery that never came to an end counts; this one reached nobody.
      const before = { ...held, delivery: held.delivery - 1 };
      await this.bury(before, withAttempt(held.history, this.#exhausted(before.delivery)));
      return true;
    }
    if (maxAgeMs === 0) return false;
    const age = (await this.bed.time.now()) - held.delivered.storedAt;
    if (age < maxAgeMs) return false;
    const untouched = { ...held, delivery: held.delivery - 1 };
    if (whenOld === 'deadLetter') await this.bury(untouched, withAttempt(held.history, this.expired()));
    else await this.#dropOld(held);
    return true;
  }

  async #dropOld(held: Held): Promise<void> {
    await this.#end(held);
    this.bed.hints.tell({ what: 'dropped', count: 1, reason: 'old' });
    await this.bed.tally.add({ old: 1 });
    this.#next();
  }

  #exhausted(deliveries: number): Attempt {
    return {
      at: this.bed.session.clock.now(),
      kind: 'rejected',
      code: 'DELIVERIES_EXHAUSTED',
      message: `It was delivered ${deliveries} times without being acknowledged.`,
      source: this.bed.options.owner,
    };
  }

  expired(): Attempt {
    return {
      at: this.bed.session.clock.now(),
      kind: 'rejected',
      code: 'EXPIRED',
      message: `It waited longer than ${this.bed.options.maxAgeMs} ms, as long as its queue allows.`,
      source: this.bed.options.owner,
    };
  }
}

function withAttempt(history: readonly Attempt[], attempt: Attempt): readonly Attempt[] {
  return [...history, attempt].slice(-MOST_ATTEMPTS);
}

function leasedOf({ entry, token, delivery, history }: Held): Leased {
  return { entry, token, delivery, history };
}
