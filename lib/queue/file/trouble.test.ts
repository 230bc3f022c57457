/** A file that is damaged, a thread that dies: nothing that can be read is lost, and nobody waits for ever. */
import assert from 'node:assert/strict';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isFailure } from '../../core';
import { Bed, drain, entry, failed, fill, plain, take, until } from './bed.test';
import { damagedNumbers } from './folder';

const PAGE = 4096;
const RECORDS = 4000;

/** Overwrites bytes in the middle of a page. */
function scratch(path: string, page: number, bytes = 200): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(bytes, 0xa5), 0, bytes, page * PAGE + 1000);
  closeSync(file);
}

describe('file store: damage', () => {
  let bed: Bed;
  beforeEach(() => (bed = new Bed()));
  afterEach(() => bed.end());

  async function filled(): Promise<void> {
    const store = await bed.store();
    const queue = await store.open('a', plain);
    await fill(queue, RECORDS, '', 'x'.repeat(200));
    await fill(await store.open('b', plain), 10);
    const [one] = await take(queue, 1);
    await queue.deadLetter(one?.token ?? '', failed);
    await store.close();
  }

  /** Opens, drains, and checks that what came is in order and unharmed. Returns how many. */
  async function recovered(): Promise<number> {
    const store = await bed.store();
    const queue = await store.open('a', plain);
    const seen = await drain(queue);
    const numbers = seen.map(Number);
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((x, y) => x - y),
    );
    const { totals, waiting, leased, delayed } = await queue.stats();
    const { full, old, purged } = totals.dropped;
    assert.equal(
      totals.put,
      totals.acknowledged + totals.died + full + old + purged + waiting + leased + delayed,
    );
    await store.close();
    return seen.length;
  }

  it('recovers all but the records of bad pages, and says how many are missing', async () => {
    await filled();
    const pages = statSync(bed.path).size / PAGE;
    for (const part of [0.3, 0.5, 0.7]) scratch(bed.path, Math.floor(pages * part));
    const found = await recovered();
    assert.ok(found > RECORDS - 200 && found < RECORDS, `${found} of ${RECORDS}`);
    const missing = RECORDS - 1 - found;
    assert.match(bed.lines.join('\n'), new RegExp(`${missing} records could not be read`));
    assert.equal(damagedNumbers(bed.path).length, 1);
  });

  it('leaves the other queues and the dead letters alone', async () => {
    await filled();
    scratch(bed.path, Math.floor((statSync(bed.path).size / PAGE) * 0.5));
    await recovered();
    const store = await bed.store();
    assert.equal((await drain(await store.open('b', plain))).length, 10);
    assert.equal((await store.dead?.stats())?.records, 1);
  });

  it('begins anew when nothing can be read, and keeps what was there', async () => {
    await filled();
    writeFileSync(bed.path, 'this is no database '.repeat(1000));
    assert.equal(await recovered(), 0);
    assert.match(readFileSync(`${bed.path}.damaged-1`, 'utf8'), /^this is no database/);
  });

  it('survives a file that was cut off', async () => {
    await filled();
    truncateSync(bed.path, Math.floor(statSync(bed.path).size / 2 / PAGE) * PAGE + 100);
    const found = await recovered();
    assert.ok(found > RECORDS / 4, `${found} of ${RECORDS}`);
  });

  it('survives a log that is garbage or missing', async () => {
    await filled();
    writeFileSync(`${bed.path}-wal`, Buffer.alloc(50_000, 0x5a));
    assert.equal(await recovered(), RECORDS - 1);
    await filled();
    rmSync(`${bed.path}-wal`, { force: true });
    assert.equal(await recovered(), RECORDS - 1);
  });

  it('survives every page scratched in turn', async () => {
    await filled();
    const image = readFileSync(bed.path);
    const pages = image.length / PAGE;
    for (let page = 0; page < pages; page += Math.ceil(pages / 10)) {
      for (const name of readdirSync(dirname(bed.path))) rmSync(`${dirname(bed.path)}/${name}`);
      writeFileSync(bed.path, image);
      scratch(bed.path, page, 2500);
      const store = await bed.store();
      await drain(await store.open('a', plain));
      await store.close();
    }
  });

  it('keeps only the newest damaged files', async () => {
    for (let i = 0; i < 5; i += 1) {
      await (await bed.store()).close();
      writeFileSync(bed.path, 'garbage '.repeat(1000));
    }
    await (await bed.store()).close();
    assert.deepEqual(damagedNumbers(bed.path), [3, 4, 5]);
  });

  it('repairs a page that turns out to be bad while it runs, and leases go on', async () => {
    await filled();
    let store = await bed.store();
    let queue = await store.open('a', plain);
    await store.close();
    // Bytes of a body: SQLite does not notice, the checksum of the record does.
    const image = readFileSync(bed.path);
    image.fill('y', image.lastIndexOf('x'.repeat(150)) + 20, image.lastIndexOf('x'.repeat(150)) + 40);
    writeFileSync(bed.path, image);
    store = await bed.store();
    queue = await store.open('a', plain);
    const [held] = await take(queue, 1);
    const seen = await drain(queue);
    assert.equal(seen.length, RECORDS - 1 - 1 - 1, 'all but the dead, the held and the bad one');
    assert.match(
      bed.lines.join('\n'),
      /position \d+ of queue 1 is not what was written.*1 records could not be read/s,
    );
    assert.equal(await queue.acknowledge(held?.token ?? ''), true);
  });
});

describe('file store: the end of its thread', () => {
  let bed: Bed;
  beforeEach(() => (bed = new Bed()));
  afterEach(() => bed.end());

  it('tells the callers, starts it again, and goes on with what is on disk', async () => {
    const store = await bed.store();
    const queue = await store.open('a', plain);
    await fill(queue, 3);
    const [held] = await take(queue, 1);
    const told: (string | undefined)[] = [];
    queue.listen({ trouble: (sentence) => void told.push(sentence) });
    const under = queue.put(entry('under way'));
    await bed.worker?.terminate();
    await assert.rejects(under, (error) => isFailure(error) && error.code === 'QUEUE_UNAVAILABLE');
    await assert.rejects(queue.put(entry('meanwhile')), (error) => isFailure(error) && !error.reached);
    await bed.clock.advance(100);
    await until(() => told.length === 2);
    assert.match(told[0] ?? '', /it ended with code/);
    assert.equal(told[1], undefined);
    assert.equal(await queue.acknowledge(held?.token ?? ''), false);
    const [again] = await take(queue, 1);
    assert.equal(again?.delivery, 2);
    assert.equal(await queue.put(entry('later')), 'stored');
  });
});
