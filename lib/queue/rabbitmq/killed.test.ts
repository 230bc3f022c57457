import assert from 'node:assert/strict';
import { entry, OPTIONS, RabbitBed, until } from '../../../test/helpers/rabbit-bed';
import { RabbitServer } from '../../../test/helpers/rabbit-server';
import type { Queue } from '../types';

const KILLS = 3;
const ROUND = 300;
const LEASE = { max: 20, perKey: 20, visibilityMs: 30_000 };

/** What a producer and a consumer on the two sides of the broker know for certain. */
class Ledger {
  readonly confirmed = new Set<string>();
  readonly acknowledged = new Set<string>();
  readonly seen = new Map<string, number>();
  #next = 0;
  readonly #unsure: string[] = [];

  /** The next id; one whose put failed is put again, as store and forward does. */
  id(): string {
    return this.#unsure.shift() ?? `m${this.#next++}`;
  }
  failed(id: string): void {
    this.#unsure.push(id);
  }
  see(id: string): void {
    this.seen.set(id, (this.seen.get(id) ?? 0) + 1);
  }
}

/** Puts and takes until the broker is gone or `enough` says so. */
async function work(queue: Queue, ledger: Ledger, enough: () => boolean): Promise<void> {
  const put = async (): Promise<void> => {
    while (!enough()) {
      const id = ledger.id();
      try {
        await queue.put(entry(id));
        ledger.confirmed.add(id);
      } catch (error) {
        ledger.failed(id);
        throw error;
      }
    }
  };
  const take = async (): Promise<void> => {
    while (!enough()) {
      const leased = await queue.lease(LEASE);
      for (const { entry } of leased) ledger.see(entry.id);
      await Promise.all(
        leased.map(async ({ token, entry }) => {
          if (await queue.acknowledge(token)) ledger.acknowledged.add(entry.id);
        }),
      );
    }
  };
  await Promise.allSettled([...Array.from({ length: 8 }, put), take()]);
}

describe('RabbitMQ killed and restarted under load', function () {
  this.timeout(300_000);
  let server: RabbitServer;
  let bed: RabbitBed;
  before(async () => {
    server = await RabbitServer.start();
    bed = new RabbitBed(server);
  });
  after(async () => {
    await bed.dispose();
    await server.dispose();
  });

  it('loses nothing that was confirmed; what comes twice has the same id', async () => {
    const ledger = new Ledger();
    const open = async (): Promise<Queue> => (await bed.store()).open('load', OPTIONS);
    await open();
    await server.settle();
    for (let round = 1; round <= KILLS; round += 1) {
      const queue = await until(() => open().catch(() => undefined));
      const working = work(queue, ledger, () => false);
      const goal = ledger.confirmed.size + ROUND;
      await until(async () => (ledger.confirmed.size >= goal ? true : undefined));
      await server.kill();
      await working;
      await server.restart();
    }
    const queue = await until(() => open().catch(() => undefined));
    const drained = (): boolean => [...ledger.confirmed].every((id) => ledger.acknowledged.has(id));
    for (let empty = 0; empty < 50 && !drained();) {
      const leased = await queue.lease(LEASE);
      empty = leased.length === 0 ? empty + 1 : 0;
      for (const { token, entry } of leased) {
        ledger.see(entry.id);
        if (await queue.acknowledge(token)) ledger.acknowledged.add(entry.id);
      }
    }
    const lost = [...ledger.confirmed].filter((id) => !ledger.acknowledged.has(id));
    const twice = [...ledger.seen.values()].filter((times) => times > 1).length;
    assert.deepEqual(lost, []);
    assert.ok(ledger.confirmed.size >= KILLS * ROUND);
    assert.ok([...ledger.seen.keys()].every((id) => /^m\d+$/.test(id)));
    // Leased and unsettled at a kill: one lease; put again because their confirm was lost: eight.
    const most = KILLS * (LEASE.max + 8);
    assert.ok(twice <= most, `${twice} of ${ledger.seen.size} came twice`);
    assert.equal(bed.lost.length, KILLS + 1);
  });

  it('tells of a broker that takes no messages, and goes on by itself', async () => {
    const queue = await (await bed.store()).open('blocked', OPTIONS);
    const said: (string | undefined)[] = [];
    queue.listen({ trouble: (sentence) => said.push(sentence) });
    await server.control('set_vm_memory_high_watermark', 'absolute', '1');
    const blocked = queue.put(entry('a')); // The broker notices a blocked connection when it publishes.
    await until(async () => said[0]);
    await assert.rejects(queue.put(entry('b')), /takes no messages now/);
    await server.control('set_vm_memory_high_watermark', '0.6');
    assert.equal(await blocked, 'stored');
    assert.equal(said.at(-1), undefined);
    assert.equal(await queue.put(entry('c')), 'stored');
  });
});
