/**
 * Random schedules against store and forward: arrivals, outages, refusals, passing failures, store trouble and
 * restarts on a virtual clock. COUNT sets how many, SEED repeats one.
 */
import assert from 'node:assert/strict';
import type { Failure } from '../../core';
import { decodeMessage } from '../../queue/codec';
import { Bench, busy, conserved, message, refused } from './bench.test';
import { trouble, type Trouble } from './trouble.test';
import { Harness } from '../../../test/helpers/harness';

const COUNT = Number(process.env['COUNT'] ?? 200);
const FIRST = Number(process.env['SEED'] ?? 1);
const LINES = ['a', 'b', ''];

type Random = () => number;

/** Mulberry32. */
function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class Schedule {
  readonly #random: Random;
  readonly #bench: Bench;
  readonly #settings: Record<string, unknown>;
  readonly #collect: boolean;
  readonly #lineOf = new Map<number, string>();
  readonly #failed = new Map<number, Failure>();
  /** A verdict that a restart found not yet on a full disk is asked for again: such a message may come later. */
  readonly #givenUp = new Set<number>();
  readonly #sends: Promise<void>[] = [];
  readonly #trouble: Trouble = { broken: false };
  #node: ReturnType<Bench['node']>;
  #wild = true;
  #restarts = 0;

  constructor(bench: Bench, seed: number) {
    this.#bench = bench;
    this.#random = seeded(seed);
    this.#collect = this.#chance(0.3);
    this.#settings = {
      keepOrder: this.#one(['all', 'key', 'none']),
      storeWhen: this.#one(['failing', 'failing', 'always']),
      atOnce: this.#one([1, 2, 8]),
      storeDeliveries: this.#one([0, 3, 25]),
      timeout: '2s',
    };
    bench.answer = (body) => this.#answer(body as number);
    this.#node = this.#start();
  }

  async run(): Promise<void> {
    const steps = 10 + Math.floor(this.#random() * 40);
    for (let step = 0; step < steps; step += 1) await this.#step();
    await this.#calm();
    await Promise.all(this.#sends);
    await this.#check();
  }

  async #step(): Promise<void> {
    const { clock } = this.#bench;
    const dice = this.#random();
    if (dice < 0.55) this.#send();
    else if (dice < 0.65) this.#bench.up = !this.#bench.up;
    else if (dice < 0.7) this.#trouble.broken = !this.#trouble.broken;
    else if (dice < 0.95) await clock.advance(this.#one([0, 1, 50, 1000, 20_000]));
    else await this.#restart();
    if (dice >= 0.7) this.#balanced();
  }

  #send(): void {
    const n = this.#lineOf.size;
    const topic = this.#one(LINES);
    this.#lineOf.set(n, topic);
    const mode = this.#chance(0.2) ? 'once' : 'idempotent';
    if (mode === 'once') this.#givenUp.add(n);
    // Flows may give the same key to several messages.
    const more = this.#chance(0.3) ? { idempotencyKey: 'same' } : {};
    const sent = this.#node.send(message(n, { topic, mode, ...more }));
    this.#sends.push(
      sent.then(
        () => {},
        (error: unknown) => void this.#failed.set(n, error as Failure),
      ),
    );
  }

  async #answer(body: number): Promise<void> {
    const dice = this.#wild ? this.#random() : 0.5;
    const ms = this.#one([0, 1, 100, 1000]);
    if (ms > 0) await new Promise<void>((resolve) => void this.#bench.clock.timer(ms, resolve));
    if (dice < 0.1) throw busy();
    if (dice < 0.15 || dice > 0.97) this.#givenUp.add(body);
    if (dice < 0.15) throw refused();
    if (dice > 0.97) await new Promise(() => {});
  }

  async #restart(): Promise<void> {
    this.#restarts += 1;
    await this.#bench.close();
    this.#node = this.#start();
  }

  #start(): ReturnType<Bench['node']> {
    const { clock, queues } = this.#bench;
    const random = this.#random;
    this.#bench.harness = new Harness({ clock, random, queues: trouble(queues, this.#trouble) });
    return this.#bench.node(this.#settings, {}, this.#collect);
  }

  /** Everything works again; what is stored goes out. */
  async #calm(): Promise<void> {
    this.#wild = false;
    this.#bench.up = true;
    this.#trouble.broken = false;
    for (let i = 0; i < 20; i += 1) await this.#bench.clock.advance(60_000);
  }

  async #check(): Promise<void> {
    const { taken } = this.#bench;
    const times = new Map<number, number>();
    for (const body of taken as number[]) times.set(body, (times.get(body) ?? 0) + 1);
    const dead = await this.#dead();
    for (const n of this.#lineOf.keys()) {
      const ends = (times.has(n) ? 1 : 0) + (dead.has(n) ? 1 : 0) + (this.#failed.has(n) ? 1 : 0);
      assert.ok(ends > 0, `message ${n} is lost`);
      // Only a call that was cut off, or joined and carried out in part, may act twice.
      if (this.#restarts > 0 || this.#collect) continue;
      assert.ok((times.get(n) ?? 0) <= 1, `message ${n} came twice`);
      assert.equal(ends, 1, `message ${n} ended twice`);
    }
    this.#inOrder([...times.keys()]);
    this.#balanced();
    assert.equal(this.#node.meter().queued, 0, 'nothing waits');
  }

  async #dead(): Promise<Set<number>> {
    const { dead } = this.#bench.store;
    const list = (await dead?.list({}, { after: 0, limit: 1000 })) ?? [];
    const found = new Set<number>();
    for (const { number } of list) {
      const detail = await dead?.get(number);
      if (detail) found.add(decodeMessage(detail.body).payload as number);
    }
    return found;
  }

  /** By first deliveries. A joined call may have been carried out in part: its rest follows later. */
  #inOrder(firsts: readonly number[]): void {
    const { keepOrder } = this.#settings;
    if (keepOrder === 'none' || this.#collect) return;
    const lines = keepOrder === 'key' ? LINES : [undefined];
    const counted = this.#restarts === 0 ? firsts : firsts.filter((n) => !this.#givenUp.has(n));
    for (const line of lines) {
      const of = counted.filter((n) => line === undefined || this.#lineOf.get(n) === line);
      assert.deepEqual(
        of,
        [...of].sort((a, b) => a - b),
        `line ${line ?? 'of all'} is out of order`,
      );
    }
  }

  #balanced(): void {
    const meter = this.#node.meter();
    assert.ok(conserved(meter), `books: ${JSON.stringify(meter)}`);
    assert.ok(meter.queued >= 0, `queued: ${meter.queued}`);
  }

  #one<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T;
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }
}

describe('store and forward: any schedule', () => {
  it(`ends every message once, in order, with balanced books (${COUNT} schedules)`, async function () {
    this.timeout(0);
    for (let seed = FIRST; seed < FIRST + COUNT; seed += 1) {
      const bench = await new Bench().begin();
      try {
        await new Schedule(bench, seed).run();
      } catch (error) {
        throw new Error(`SEED=${seed}: ${(error as Error).message}`, { cause: error });
      } finally {
        await bench.end();
      }
    }
  });
});
