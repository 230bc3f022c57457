/**
 * Leases as keys of a bucket. Taking one is a compare-and-set against "nobody has it", keeping it one against our own
 * revision. The bucket's age limit frees what nobody renews; limits of single keys are ignored by servers before 2.11.
 */
import type { KV } from '@nats-io/kv';
import { randomBytes } from 'node:crypto';
import { Failure } from '../../core';
import { checkLeaseTime, type Held, type LeaseRequest, type LeaseService } from '../cluster';
import { NatsLease } from './kv-lease';
import { keyToken } from './names';
import { ascii } from './record';
import type { Session } from './session';
import { apiCode } from './stream';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** A bucket for each, made when it is first needed; a wish is rounded up. */
const TIMES = [
  ...[1, 2, 5, 10, 20, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 20, 30].map((n) => n * MINUTE),
  ...[1, 2, 6, 12, 24, 48, 168].map((n) => n * HOUR),
] as const;
const LONGEST = 168 * HOUR;
const LONGEST_HOLDER = 200;
const WRONG_LAST_SEQUENCE = 10_071;

export class NatsLeases implements LeaseService {
  readonly #buckets = new Map<number, Promise<KV>>();

  constructor(readonly session: Session) {}

  async acquire(name: string, { ttlMs, holder }: LeaseRequest): Promise<Held | undefined> {
    const key = keyToken(name);
    const bucket = await this.#bucket(bucketTime(ttlMs));
    const nonce = randomBytes(9).toString('base64url');
    const value = ascii({ holder: holder.slice(0, LONGEST_HOLDER), nonce });
    // Before sending: our idea of the end is never later than the server's.
    const sent = this.session.clock.mono();
    try {
      const revision = await this.session.run(() => bucket.create(key, value));
      return new NatsLease({ session: this.session, bucket, name, key, ttlMs, value }, revision, sent);
    } catch (error) {
      if (apiCode(error) === WRONG_LAST_SEQUENCE) return undefined;
      throw error;
    }
  }

  #bucket(time: number): Promise<KV> {
    const known = this.#buckets.get(time);
    if (known) return known;
    const opening = this.#open(time).catch((error: unknown) => {
      this.#buckets.delete(time);
      throw error;
    });
    this.#buckets.set(time, opening);
    return opening;
  }

  async #open(time: number): Promise<KV> {
    const { session } = this;
    const { prefix, replicas } = session.places;
    const name = `${prefix}_lease_${time / SECOND}s`;
    const kvm = new session.lib.kv.Kvm(session.js);
    // Reads must see the last write, so never from a follower.
    const options = { history: 1, ttl: time, replicas, allow_direct: false };
    const bucket = await session.run(() => kvm.create(name, options));
    const { ttl } = await session.run(() => bucket.status());
    if (ttl === time) return bucket;
    throw new Failure(
      'config',
      'BAD_CONFIG',
      `The bucket "${name}" on the NATS server keeps its leases for ${ttl} ms instead of ${time} ms. Remove it, so that Holdfast makes it anew.`,
      { reached: false },
    );
  }
}

function bucketTime(ttlMs: number): number {
  checkLeaseTime(ttlMs);
  return TIMES.find((one) => one >= ttlMs) ?? LONGEST;
}
