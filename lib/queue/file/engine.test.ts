/** What operations cost, counted in rows that are read: times would say more about the machine. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QueueOptions } from '../types';
import { entry, plain } from './bed.test';
import { Engine } from './engine';
import { FrameWriter } from './frame';
import { type Answer, type Ask, FACTS, type Operation } from './protocol';
import { packPositions, toRanges, unpackRanges } from './ranges';
import { TABLES } from './schema';
import { giveBack } from './space';
import { openDatabase } from './sqlite';

class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-engine-'));
  readonly path = join(this.folder, 'queues.db');
  readonly db: DatabaseSync = openDatabase(this.path);
  engine: Engine;
  queue = 0;
  #now = 1;

  constructor() {
    this.db.exec(TABLES);
    this.engine = new Engine(this.db);
  }

  do<O extends Operation>(op: O, ask: Ask<O>): Answer<O> {
    this.#now += 1;
    const commands = [{ op, ask }];
    const { answers } = this.engine.run({ do: 'batch', now: this.#now, wall: 1, letters: false, commands });
    return answers?.[0] as Answer<O>;
  }

  open(options: Partial<QueueOptions> = {}): void {
    this.queue = this.do('open', { name: 'a', handle: 1, options: { ...plain, ...options } }).queue;
  }

  /** Records with ids that count on; `key` names the key of each. */
  fill(count: number, key: (i: number) => string): void {
    for (let first = 0; first < count; first += 5000) {
      const writer = new FrameWriter();
      const size = Math.min(5000, count - first);
      for (let i = first; i < first + size; i += 1) writer.add(entry(String(i), key(i), 'x'), '');
      this.do('put', { queue: this.queue, count: size, data: writer.take() });
    }
  }

  /** Positions and lease numbers, in turn. */
  lease(max: number, perKey = 1): number[] {
    const ask = { queue: this.queue, handle: 1, max, perKey, visibilityMs: 1e9 };
    const facts = this.do('lease', ask)?.facts ?? new Float64Array();
    const tokens: number[] = [];
    for (let i = 0; i < facts.length; i += FACTS) tokens.push(facts[i] ?? 0, facts[i + 1] ?? 0);
    return tokens;
  }

  acknowledge(tokens: readonly number[]): void {
    this.do('acknowledge', { queue: this.queue, tokens: Float64Array.from(tokens) });
  }

  /** Rows read by `work`. */
  visits(work: () => void): number {
    const { rows } = this.engine.shelf(this.queue);
    const before = rows.visited;
    work();
    return rows.visited - before;
  }

  end(): void {
    this.db.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe('file store: cost', () => {
  let bench: Bench;
  beforeEach(() => (bench = new Bench()));
  afterEach(() => bench.end());

  const BEHIND = 200_000;

  it('passes many records of a stuck key once, not with each lease', () => {
    bench.open();
    bench.fill(BEHIND, () => 'stuck');
    bench.fill(1000, (i) => `key ${i}`);
    bench.engine.reload();
    const [stuck = 0] = bench.lease(1);
    assert.equal(stuck, 1);
    const first = bench.visits(() => assert.equal(bench.lease(1)[0], BEHIND + 1));
    assert.ok(first < 200, `the first lease read ${first} rows`);
    const rest = bench.visits(() => {
      for (let i = 0; i < 500; i += 1) assert.equal(bench.lease(1)[0], BEHIND + 2 + i);
    });
    assert.ok(rest < 1500, `five hundred leases read ${rest} rows`);
  });

  it('returns to a key that is free again at once, and to its first record', () => {
    bench.open();
    bench.fill(BEHIND, () => 'stuck');
    bench.fill(1000, (i) => `key ${i}`);
    bench.engine.reload();
    const stuck = bench.lease(1);
    bench.lease(500);
    bench.acknowledge(stuck);
    const visits = bench.visits(() => {
      for (let position = 2; position < 52; position += 1) {
        const tokens = bench.lease(1);
        assert.equal(tokens[0], position);
        bench.acknowledge(tokens);
      }
    });
    assert.ok(visits < 200, `fifty leases read ${visits} rows`);
  });

  it('does not look behind the head of a queue that is one line', () => {
    bench.open({ ordered: true });
    bench.fill(BEHIND, () => '');
    bench.engine.reload();
    assert.equal(bench.lease(10, 10).length, 20);
    const visits = bench.visits(() => {
      for (let i = 0; i < 100; i += 1) assert.deepEqual(bench.lease(10, 10), []);
    });
    assert.ok(visits <= 300, `a hundred leases read ${visits} rows`);
  });

  it('drops the oldest without reading those that are leased again and again', () => {
    bench.open({ maxRecords: 2000, whenFull: 'dropOldest' });
    bench.fill(2000, () => '');
    bench.lease(1000, 1000);
    const visits = bench.visits(() => bench.fill(1000, () => ''));
    assert.ok(visits < 4000, `a thousand drops read ${visits} rows`);
    const { totals, leased, waiting } = bench.do('stats', { queue: bench.queue });
    assert.deepEqual([totals.dropped.full, leased, waiting], [1000, 1000, 1000]);
  });

  it('reads nothing from the disk when the consumer keeps up', () => {
    bench.open();
    const visits = bench.visits(() => {
      for (let i = 0; i < 50; i += 1) {
        bench.fill(20, () => '');
        bench.acknowledge(bench.lease(20, 20));
      }
    });
    assert.equal(visits, 0);
  });

  it('gives the space of ended records back to the disk', () => {
    bench.open();
    bench.fill(100_000, () => '');
    for (let tokens = bench.lease(5000); tokens.length > 0; tokens = bench.lease(5000))
      bench.acknowledge(tokens);
    bench.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const full = statSync(bench.path).size;
    while (giveBack(bench.db));
    bench.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const { size } = statSync(bench.path);
    assert.ok(full > 3_000_000 && size < 1_300_000, `${full} became ${size}`);
  });

  it('leaves everything as it was when a batch fails', () => {
    bench.open();
    bench.fill(10, () => '');
    const tokens = bench.lease(3, 3);
    const before = bench.do('stats', { queue: bench.queue });
    const commands = [
      { op: 'acknowledge', ask: { queue: bench.queue, tokens: Float64Array.from(tokens) } },
      { op: 'lease', ask: { queue: bench.queue, handle: 1, max: 5, perKey: 1, visibilityMs: 1e9 } },
      { op: 'stats', ask: { queue: 999 } },
    ] as const;
    assert.throws(() => bench.engine.run({ do: 'batch', now: 1000, wall: 1, letters: false, commands }));
    bench.engine.reload();
    const after = bench.do('stats', { queue: bench.queue });
    assert.deepEqual({ ...after, oldestMs: 0 }, { ...before, oldestMs: 0 });
    bench.acknowledge(tokens);
    assert.equal(bench.do('stats', { queue: bench.queue }).totals.acknowledged, 3);
    assert.equal(bench.lease(10, 10)[0], 4);
  });
});

describe('file store: positions', () => {
  it('are the same after packing, and few bytes when they are neighbours', () => {
    const positions = [5, 1, 2, 3, 900, 901, 2 ** 40, 2 ** 40 + 1];
    const ranges = [1, 3, 5, 5, 900, 901, 2 ** 40, 2 ** 40 + 1];
    assert.deepEqual(toRanges(positions), ranges);
    assert.deepEqual(unpackRanges(packPositions(positions)), ranges);
    assert.ok(packPositions(Array.from({ length: 10_000 }, (_, i) => i + 1e9)).length < 10);
    assert.deepEqual(unpackRanges(packPositions([])), []);
  });

  it('survive bytes that nobody packed', () => {
    for (const bytes of [[255], [1], Array.from({ length: 30 }, () => 255), [1, 2, 3]]) {
      assert.equal(unpackRanges(Uint8Array.from(bytes)).length % 2, 0);
    }
  });
});
