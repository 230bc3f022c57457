import assert from 'node:assert/strict';
import fc from 'fast-check';
import { VirtualClock, settle } from '../../test/helpers/virtual-clock';
import { Failure, Scope, cancelled } from '../core';
import { ResultCache } from './cache';
import { tryCopy } from './copy';

function setUp(size = 2): { clock: VirtualClock; cache: ResultCache; scope: Scope } {
  const clock = new VirtualClock();
  return { clock, cache: new ResultCache({ ttlMs: 1000, size }, clock), scope: new Scope() };
}

/** A load that the test ends by hand. */
function flight<T>(): {
  load: () => Promise<T>;
  land: (value: T) => void;
  crash: (error: Error) => void;
  loads: () => number;
} {
  let loads = 0;
  let land: (value: T) => void = () => {};
  let crash: (error: Error) => void = () => {};
  const load = (): Promise<T> => {
    loads += 1;
    return new Promise<T>((resolve, reject) => ([land, crash] = [resolve, reject]));
  };
  return { load, land: (value) => land(value), crash: (error) => crash(error), loads: () => loads };
}

describe('policy: result cache', () => {
  it('keeps a result for its time to live, measured monotonically', async () => {
    const { clock, cache, scope } = setUp();
    let loads = 0;
    const get = (): Promise<number> => cache.get('k', scope, async () => (loads += 1));
    assert.equal(await get(), 1);
    clock.jump(86_400_000);
    await clock.advance(999);
    assert.equal(await get(), 1);
    clock.jump(-2 * 86_400_000);
    await clock.advance(1);
    assert.equal(await get(), 2);
  });

  it('forgets what was not used for longest', async () => {
    const { cache, scope } = setUp(2);
    const loaded: string[] = [];
    const get = (key: string): Promise<string> =>
      cache.get(key, scope, async () => {
        loaded.push(key);
        return key;
      });
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await get(key);
    assert.deepEqual(loaded, ['a', 'b', 'c', 'b']);
    assert.equal(cache.size, 2);
  });

  it('gives every reader a copy of its own', async () => {
    const { cache, scope } = setUp();
    const load = async (): Promise<{ list: number[]; raw: Buffer }> => ({
      list: [1],
      raw: Buffer.from('ab'),
    });
    const first = cache.get('k', scope, load);
    const follower = cache.get('k', scope, load);
    (await first).list.push(2);
    assert.deepEqual((await follower).list, [1]);
    (await follower).raw.fill(0);
    const third = await cache.get('k', scope, load);
    assert.deepEqual(third, { list: [1], raw: Buffer.from('ab') });
    assert.ok(Buffer.isBuffer(third.raw));
    third.list.length = 0;
    assert.deepEqual((await cache.get('k', scope, load)).list, [1]);
  });

  it('runs one call for all who ask at once; all share its failure', async () => {
    const { cache, scope } = setUp();
    const call = flight<number>();
    const hits: boolean[] = [];
    const get = (): Promise<number> => cache.get('k', scope, call.load, (hit) => hits.push(hit));
    const all = [get(), get(), get()];
    call.land(7);
    assert.deepEqual(await Promise.all(all), [7, 7, 7]);
    assert.equal(call.loads(), 1);
    assert.deepEqual(hits, [false, true, true]);
    cache.clear();
    const failure = new Failure('rejected', 'X', 'no');
    const failing = [get(), get()].map((each) => assert.rejects(each, failure));
    call.crash(failure);
    await Promise.all(failing);
    assert.equal(cache.size, 0, 'a failure is not kept');
    assert.equal(scope.listenerCount, 0);
  });

  it('ends a wait for another call at once; the other goes on', async () => {
    const { cache, scope } = setUp();
    const call = flight<number>();
    const leader = cache.get('k', scope, call.load);
    const other = new Scope();
    const follower = cache.get('k', other, call.load);
    const reason = cancelled('stop');
    other.abort(reason);
    await assert.rejects(follower, reason);
    call.land(1);
    assert.equal(await leader, 1);
  });

  it('loads for itself when the call it waited for was cancelled', async () => {
    const { cache, scope } = setUp();
    const first = flight<number>();
    const leader = assert.rejects(cache.get('k', scope, first.load), cancelled());
    const second = flight<number>();
    const followers = [1, 2].map(() => cache.get('k', scope, second.load));
    first.crash(cancelled());
    await leader;
    await settle();
    assert.equal(second.loads(), 1, 'one of the two leads now');
    second.land(5);
    assert.deepEqual(await Promise.all(followers), [5, 5]);
  });

  it('neither keeps nor shares what cannot be copied', async () => {
    const { cache, scope } = setUp();
    let loads = 0;
    const load = async (): Promise<unknown> => ({ n: (loads += 1), close: () => {} });
    const [a, b] = await Promise.all([cache.get('k', scope, load), cache.get('k', scope, load)]);
    assert.notEqual(a, b);
    assert.equal(loads, 2);
    assert.equal(cache.size, 0);
  });

  it('copies plain data exactly and refuses the rest', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copied = tryCopy(value);
        assert.deepEqual(copied?.value, value);
        if (typeof value === 'object' && value !== null) assert.notEqual(copied?.value, value);
      }),
    );
    const hostile = JSON.parse('{"__proto__":{"admin":true}}') as object;
    const copied = tryCopy(hostile)?.value as object;
    assert.ok(Object.hasOwn(copied, '__proto__'));
    assert.equal((copied as { admin?: boolean }).admin, undefined);
    assert.deepEqual(tryCopy({ at: new Date(5), raw: new Uint8Array([1]), big: 5n })?.value, {
      at: new Date(5),
      raw: new Uint8Array([1]),
      big: 5n,
    });
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const value of [cycle, new Map(), () => {}, Symbol('x'), { scope: new Scope() }]) {
      assert.equal(tryCopy(value), undefined);
    }
  });
});
