/** Totals of a queue that the server does not count itself; kept in a bucket, added up by compare-and-set. */
import type { KV } from '@nats-io/kv';
import { ascii, parse } from './record';
import type { Session } from './session';
import { apiCode } from './stream';

const COUNTS = ['died', 'replayed', 'full', 'newest', 'old', 'purged', 'duplicates'] as const;
export type Counts = Record<(typeof COUNTS)[number], number>;
const WRONG_LAST_SEQUENCE = 10_071;
const MOST_TRIES = 50;

export const noCounts = (): Counts => ({
  died: 0,
  replayed: 0,
  full: 0,
  newest: 0,
  old: 0,
  purged: 0,
  duplicates: 0,
});

export class Tally {
  #adding: Promise<void> = Promise.resolve();
  #waiting = noCounts();
  #dirty = false;

  constructor(
    readonly session: Session,
    readonly bucket: KV,
    readonly key: string,
  ) {}

  static async open(session: Session): Promise<KV> {
    const { prefix, replicas } = session.places;
    const kvm = new session.lib.kv.Kvm(session.js);
    return session.run(() => kvm.create(`${prefix}_tally`, { history: 1, replicas, allow_direct: false }));
  }

  /** Resolves when the server has it. Additions that wait for one another become one. */
  add(counts: Partial<Counts>): Promise<void> {
    for (const name of COUNTS) this.#waiting[name] += counts[name] ?? 0;
    if (!this.#dirty) {
      this.#dirty = true;
      this.#adding = this.#adding.then(() => this.#write());
    }
    return this.#adding;
  }

  async read(): Promise<Counts> {
    await this.#adding;
    return (await this.#stored()).counts;
  }

  /** Totals are for people: a count that cannot be written must not fail the record that it counts. */
  async #write(): Promise<void> {
    this.#dirty = false;
    const add = this.#waiting;
    this.#waiting = noCounts();
    try {
      for (let tries = 0; tries < MOST_TRIES; tries += 1) if (await this.#tryAdd(add)) return;
    } catch {
      // The connection is gone; whoever waits for the record hears that.
    }
  }

  async #tryAdd(add: Counts): Promise<boolean> {
    const { counts, revision } = await this.#stored();
    for (const name of COUNTS) counts[name] += add[name];
    try {
      await this.session.run(() =>
        revision === 0
          ? this.bucket.create(this.key, ascii(counts))
          : this.bucket.update(this.key, ascii(counts), revision),
      );
      return true;
    } catch (error) {
      if (apiCode(error) === WRONG_LAST_SEQUENCE) return false;
      throw error;
    }
  }

  async #stored(): Promise<{ counts: Counts; revision: number }> {
    const entry = await this.session.run(() => this.bucket.get(this.key));
    const counts = noCounts();
    if (!entry) return { counts, revision: 0 };
    const raw = parse(entry.string());
    for (const name of COUNTS) counts[name] = Number(raw[name]) || 0;
    return { counts, revision: entry.revision };
  }
}
