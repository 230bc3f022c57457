/** One lease in our hands. */
import type { KV, KvEntry } from '@nats-io/kv';
import { Failure, Scope, type Timer } from '../../core';
import type { Held } from '../cluster';
import type { Session } from './session';
import { apiCode } from './stream';

const WRONG_LAST_SEQUENCE = 10_071;

interface Place {
  readonly session: Session;
  readonly bucket: KV;
  readonly name: string;
  readonly key: string;
  readonly ttlMs: number;
  /** Names this holding among all that ever were. */
  readonly value: string;
}

export class NatsLease implements Held {
  readonly lost = new Scope();
  readonly fence: number;
  #revision: number;
  #until = 0;
  #timer: Timer | undefined;

  constructor(
    readonly place: Place,
    revision: number,
    sent: number,
  ) {
    this.fence = revision;
    this.#revision = revision;
    this.#holdUntil(sent + place.ttlMs);
  }

  async renew(): Promise<boolean> {
    const { clock } = this.place.session;
    for (let tries = 0; tries < 2; tries += 1) {
      if (clock.mono() >= this.#until) this.#lose();
      if (this.lost.aborted) return false;
      const sent = clock.mono();
      if (await this.#tryRenew()) {
        if (this.lost.aborted) return false;
        this.#holdUntil(sent + this.place.ttlMs);
        return true;
      }
      // A renewal whose confirmation was lost has changed the revision: the value tells whether it is still ours.
      const now = await this.#read();
      if (now?.string() !== this.place.value) break;
      this.#revision = now.revision;
    }
    this.#lose();
    return false;
  }

  async release(): Promise<void> {
    if (this.lost.aborted) return;
    this.#end(new Failure('cancelled', 'LEASE_LOST', `The lease "${this.place.name}" was given back.`));
    const { session, bucket, key } = this.place;
    // What cannot be given back ends by itself.
    await session.run(() => bucket.delete(key, { previousSeq: this.#revision })).catch(() => {});
  }

  async #tryRenew(): Promise<boolean> {
    const { session, bucket, key, value } = this.place;
    try {
      this.#revision = await session.run(() => bucket.update(key, value, this.#revision));
      return true;
    } catch (error) {
      if (apiCode(error) === WRONG_LAST_SEQUENCE) return false;
      throw error;
    }
  }

  async #read(): Promise<KvEntry | undefined> {
    const { session, bucket, key } = this.place;
    const entry = await session.run(() => bucket.get(key));
    return entry?.operation === 'PUT' ? entry : undefined;
  }

  #holdUntil(until: number): void {
    const { clock } = this.place.session;
    this.#until = until;
    this.#timer?.cancel();
    this.#timer = clock.timer(until - clock.mono(), () => this.#lose());
  }

  #lose(): void {
    const sentence = `The lease "${this.place.name}" ended because it was not renewed in time. Check the connection to the NATS server.`;
    this.#end(new Failure('transient', 'LEASE_LOST', sentence));
  }

  #end(reason: Failure): void {
    this.#timer?.cancel();
    this.lost.abort(reason);
  }
}
