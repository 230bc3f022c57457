import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import { settle } from '../../test/helpers/virtual-clock';
import { localQueues } from './local';
import type { QueueStore } from './types';

/** A store that only tells when it is opened and closed. */
function bench() {
  const told: string[] = [];
  let closing: (() => void) | undefined;
  const state = { fail: false, slowClose: false };
  const queues = localQueues(async () => {
    told.push('open');
    if (state.fail) throw new Error('no disk');
    const close = async (): Promise<void> => {
      told.push('close');
      if (state.slowClose) await new Promise<void>((resolve) => (closing = resolve));
      told.push('closed');
    };
    return { close } as unknown as QueueStore;
  });
  return { queues, told, state, endClose: () => closing?.() };
}

describe('local queues', () => {
  it('opens with the first user, shares, and closes with the last', async () => {
    const { queues, told } = bench();
    const [a, b] = await Promise.all([queues.use(), queues.use()]);
    strictEqual(a.store, b.store);
    await a.release();
    deepStrictEqual(told, ['open']);
    await b.release();
    deepStrictEqual(told, ['open', 'close', 'closed']);
  });

  it('takes a second release of one user for nothing', async () => {
    const { queues, told } = bench();
    const a = await queues.use();
    const b = await queues.use();
    await Promise.all([a.release(), a.release()]);
    await a.release();
    deepStrictEqual(told, ['open']);
    await b.release();
    await b.release();
    deepStrictEqual(told, ['open', 'close', 'closed']);
  });

  it('lets an opening during a close wait for it', async () => {
    const { queues, told, state, endClose } = bench();
    state.slowClose = true;
    const first = await queues.use();
    const released = first.release();
    const again = queues.use();
    await settle();
    deepStrictEqual(told, ['open', 'close']);
    endClose();
    const second = await again;
    await released;
    deepStrictEqual(told, ['open', 'close', 'closed', 'open']);
    strictEqual(second.store === first.store, false);
    state.slowClose = false;
    await second.release();
  });

  it('tries a failed opening anew with the next use, and for nobody before', async () => {
    const { queues, told, state } = bench();
    state.fail = true;
    const both = [queues.use(), queues.use()];
    await Promise.all(both.map((use) => rejects(use, /no disk/)));
    deepStrictEqual(told, ['open']);
    state.fail = false;
    const use = await queues.use();
    await use.release();
    deepStrictEqual(told, ['open', 'open', 'close', 'closed']);
  });

  it('opens again although a close threw', async () => {
    let opened = 0;
    const queues = localQueues(async () => {
      opened += 1;
      return { close: () => Promise.reject(new Error('gone')) } as unknown as QueueStore;
    });
    await (await queues.use()).release();
    await (await queues.use()).release();
    strictEqual(opened, 2);
  });
});
