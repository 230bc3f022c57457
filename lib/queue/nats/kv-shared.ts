/** Small pieces of state in a bucket that all gateways see. */
import type { KV, KvEntry, KvWatchEntry } from '@nats-io/kv';
import { checkShared, type Json, type SharedEntry, type SharedState, SHARED_MAX_BYTES } from '../cluster';
import { keyToken } from './names';
import type { Session } from './session';

const DAY_MS = 86_400_000;
const MOST_BYTES = 8 * 1024 * 1024;

export class NatsSharedState implements SharedState {
  #bucket: Promise<KV> | undefined;

  constructor(readonly session: Session) {}

  async get(key: string): Promise<SharedEntry | undefined> {
    const bucket = await this.#open();
    const entry = await this.session.run(() => bucket.get(keyToken(key)));
    return entry ? entryOf(entry) : undefined;
  }

  async put(key: string, value: Json): Promise<number> {
    const text = checkShared(key, value);
    const bucket = await this.#open();
    return this.session.run(() => bucket.put(keyToken(key), text));
  }

  async remove(key: string): Promise<void> {
    const bucket = await this.#open();
    await this.session.run(() => bucket.delete(keyToken(key)));
  }

  async watch(key: string, fn: (entry: SharedEntry | undefined) => void): Promise<() => void> {
    const bucket = await this.#open();
    const changes = await this.session.run(() => bucket.watch({ key: keyToken(key) }));
    let watching = true;
    const follow = async (): Promise<void> => {
      for await (const change of changes as AsyncIterable<KvWatchEntry>) if (watching) fn(entryOf(change));
    };
    // It ends with the connection, which tells its own story.
    void follow().catch(() => {});
    return () => {
      watching = false;
      changes.stop();
    };
  }

  #open(): Promise<KV> {
    this.#bucket ??= this.#create().catch((error: unknown) => {
      this.#bucket = undefined;
      throw error;
    });
    return this.#bucket;
  }

  #create(): Promise<KV> {
    const { prefix, replicas } = this.session.places;
    const kvm = new this.session.lib.kv.Kvm(this.session.js);
    return this.session.run(() =>
      kvm.create(`${prefix}_shared`, {
        history: 1,
        ttl: DAY_MS,
        max_bytes: MOST_BYTES,
        maxValueSize: SHARED_MAX_BYTES + 1_024,
        replicas,
        allow_direct: false,
      }),
    );
  }
}

/** What cannot be read as JSON was not written by us and counts as missing. */
function entryOf(entry: KvEntry): SharedEntry | undefined {
  if (entry.operation !== 'PUT' || entry.value.length > SHARED_MAX_BYTES) return undefined;
  try {
    return { value: JSON.parse(entry.string()) as Json, revision: entry.revision };
  } catch {
    return undefined;
  }
}
