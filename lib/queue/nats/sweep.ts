/** Ends records that are too old although nobody leases them. Each gateway that has the queue open looks now and then. */
import type { Timer } from '../../core';
import type { Bed } from './bed';
import type { Leasing } from './leasing';
import { readHistory, readRecord } from './record';
import { nextStored, remove } from './room';

const SHORTEST_MS = 250;
const LONGEST_MS = 60_000;

export class Sweep {
  #timer: Timer | undefined;
  #closed = false;

  constructor(
    readonly bed: Bed,
    readonly leasing: Leasing,
  ) {
    if (bed.options.maxAgeMs > 0) this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#closed) return;
    const pause = Math.min(Math.max(this.bed.options.maxAgeMs / 4, SHORTEST_MS), LONGEST_MS);
    this.#timer = this.bed.session.clock.timer(pause, () => {
      // What fails now is tried with the next turn; a lost connection ends the sweep.
      void this.#sweep()
        .catch(() => {})
        .then(() => this.#arm());
    });
  }

  async #sweep(): Promise<void> {
    const { session, names, options, time } = this.bed;
    const limit = (await time.now()) - options.maxAgeMs;
    const info = await session.run(() => session.jsm.consumers.info(names.stream, names.consumer));
    // Delivered records are in someone's hands; they are judged when they come back.
    for (let seq = info.delivered.stream_seq + 1; !this.#closed; seq += 1) {
      const stored = await nextStored(this.bed, seq);
      if (!stored || stored.time.getTime() > limit) return;
      seq = stored.seq;
      const fallback = { id: `nats:${names.stream}:${seq}`, time: stored.time.getTime() };
      const entry = readRecord(stored.header, stored.data, fallback);
      if (options.whenOld === 'drop') await this.#drop(seq);
      else await this.#bury(seq, { ...entry, history: readHistory(stored.header) }, stored.timestamp);
    }
  }

  async #drop(seq: number): Promise<void> {
    if (!(await remove(this.bed, seq))) return;
    this.bed.hints.tell({ what: 'dropped', count: 1, reason: 'old' });
    await this.bed.tally.add({ old: 1 });
  }

  async #bury(seq: number, entry: ReturnType<typeof readRecord>, stored: string): Promise<void> {
    const { graves, name, names, options, hints, tally } = this.bed;
    const history = [...(entry.history ?? []), this.leasing.expired()];
    const once = `${names.stream} ${seq} ${Date.parse(stored)} ${entry.id}`;
    await graves.bury({ queue: name, entry, attempts: 0, history, owner: options.owner, once });
    if (!(await remove(this.bed, seq))) return;
    hints.tell({ what: 'died', count: 1 });
    await tally.add({ died: 1 });
  }
}
