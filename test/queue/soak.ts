/**
 * Gateways that share a queue and treat its records at random: acknowledged, rejected with and without delay, released,
 * forgotten until their lease runs out, buried, or left behind by a handle that closes. Every record must end once.
 */
import assert from 'node:assert/strict';
import type { Leased, Queue, QueueStore } from '../../lib/queue';
import { seededRandom } from '../faults/fault';
import { attempt, entry, LEASE, OPTIONS } from './bed';

const NAME = 'soak';
const PUTS_AT_ONCE = 50;
const TAKERS = 2;
const FORGOTTEN_MS = 300;

export interface Soak {
  /** Ids by how they ended; one that stands in both or twice was ended twice. */
  readonly acknowledged: string[];
  readonly buried: string[];
  /** Deliveries that ended nothing. */
  readonly again: number;
}

export async function soak(gateways: readonly QueueStore[], records: number, seed: number): Promise<Soak> {
  const result = { acknowledged: [] as string[], buried: [] as string[], again: 0 };
  const ended = (): number => result.acknowledged.length + result.buried.length;
  const chance = seededRandom(seed);

  const put = async (store: QueueStore, from: number): Promise<void> => {
    const queue = await store.open(NAME, OPTIONS);
    for (let next = from; next < records; next += PUTS_AT_ONCE * gateways.length) {
      const batch = Array.from({ length: PUTS_AT_ONCE }, (_, i) => next + i * gateways.length);
      const wanted = batch.filter((n) => n < records);
      const puts = await Promise.all(wanted.map((n) => queue.put(entry(`r${n}`))));
      assert.ok(puts.every((put) => put === 'stored'));
    }
  };
  const treat = async (queue: Queue, { token, entry: { id } }: Leased): Promise<void> => {
    const die = chance();
    if (die < 0.6) {
      assert.equal(await queue.acknowledge(token), true);
      result.acknowledged.push(id);
    } else if (die < 0.65) {
      assert.equal(await queue.deadLetter(token, attempt()), true);
      result.buried.push(id);
    } else {
      result.again += 1;
      if (die < 0.78) await queue.reject(token, attempt(), 0);
      else if (die < 0.88) await queue.reject(token, undefined, 20 * chance());
      else if (die < 0.98) await queue.release(token);
    }
  };
  const take = async (store: QueueStore): Promise<void> => {
    while (ended() < records) {
      const queue = await store.open(NAME, OPTIONS);
      for (let turns = 1 + 30 * chance(); turns > 0 && ended() < records; turns -= 1) {
        const leased = await queue.lease({ ...LEASE, max: 1 + Math.floor(40 * chance()) });
        await Promise.all(leased.map((one) => forget(queue, one, chance) ?? treat(queue, one)));
        if (leased.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      // With the last lease still in its hands.
      await queue.lease({ ...LEASE, max: 5 });
      await queue.close();
    }
  };

  await Promise.all(
    gateways.flatMap((store, i) => [put(store, i), ...Array.from({ length: TAKERS }, () => take(store))]),
  );
  return result;
}

/** Shortens the lease of one in fifty and leaves it. */
function forget(queue: Queue, { token }: Leased, chance: () => number): Promise<unknown> | undefined {
  return chance() < 0.02 ? queue.extend(token, FORGOTTEN_MS) : undefined;
}

/** Asserts that every record ended once, that those buried are there, and that they come back. */
export async function settled(store: QueueStore, records: number, soaked: Soak): Promise<void> {
  const all = Array.from({ length: records }, (_, n) => `r${n}`).sort();
  assert.deepEqual([...soaked.acknowledged, ...soaked.buried].sort(), all);
  assert.ok(soaked.again > 0 && soaked.buried.length > 0);
  const queue = await store.open(NAME, OPTIONS);
  const { waiting, leased, delayed, dead } = await queue.stats();
  assert.deepEqual([waiting, leased, delayed, dead], [0, 0, 0, soaked.buried.length]);
  assert.equal(await queue.replay({}), soaked.buried.length);
  const back: string[] = [];
  for (let some = await queue.lease(LEASE); some.length > 0; some = await queue.lease(LEASE)) {
    await Promise.all(some.map(async ({ token }) => assert.equal(await queue.acknowledge(token), true)));
    back.push(...some.map(({ entry: { id } }) => id));
  }
  assert.deepEqual(back.sort(), [...soaked.buried].sort());
}
