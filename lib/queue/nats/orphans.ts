/**
 * A server that was killed may come back with records in the stream that its consumer counts as ended: it would never
 * deliver them again. Mostly their acknowledgement was confirmed just before; since nobody can tell, they are put back
 * to the end of the queue. A duplicate with the same id is better than a loss.
 */
import type { Bed } from './bed';
import { messageId } from './record';
import { nextStored, remove } from './room';
import { revive } from './revive';

export class Orphans {
  #checkedAt: number;
  /** What the consumer had ended when we looked last: the stream has had time since to follow. */
  #endedBefore = 0;

  constructor(readonly bed: Bed) {
    this.#checkedAt = bed.session.clock.mono();
  }

  /** Called when nothing could be leased. Looks now and then; returns how many were put back. */
  async rescue(): Promise<number> {
    const { session, names } = this.bed;
    const now = session.clock.mono();
    if (now - this.#checkedAt < session.places.holdMs) return 0;
    this.#checkedAt = now;
    const before = this.#endedBefore;
    const info = await session.run(() => session.jsm.consumers.info(names.stream, names.consumer));
    this.#endedBefore = info.ack_floor.stream_seq;
    let count = 0;
    for (let seq = 1; before > 0; seq += 1) {
      const stored = await nextStored(this.bed, seq);
      if (!stored || stored.seq > before) break;
      seq = stored.seq;
      const once = messageId(`holdfast:again ${seq} ${stored.timestamp}`);
      await revive(this.bed.graves, this.bed.name, stored.header, stored.data, once);
      if (await remove(this.bed, seq)) count += 1;
    }
    if (count > 0) this.#report(count);
    return count;
  }

  #report(count: number): void {
    this.bed.hints.ready();
    this.bed.session.log.warn(
      `The NATS server came back with ${count} records of the queue "${this.bed.name}" that it would not have delivered again. They were put back; some may have been delivered before, with the same id.`,
    );
  }
}
