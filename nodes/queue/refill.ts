/** Keeps a simulated queue alive: a few messages at once, then one every few seconds. */
import type { Clock, Timer } from '../../lib/core';
import { encodeMessage } from '../../lib/queue/codec';
import type { Queue } from '../../lib/queue';
import { messageNumber } from './simulator';

const SEEDED = 5;
const EVERY_MS = 2000;
/** Nobody takes them: the simulation waits. */
const MOST = 50;

/** Returns what ends it. */
export function fillSlowly(queue: Queue, clock: Clock): () => void {
  let count = 0;
  let timer: Timer | undefined;
  const put = async (): Promise<void> => {
    const { key, msg } = messageNumber(count);
    count += 1;
    await queue.put({ id: `simulated-${count}`, key, time: clock.now(), body: encodeMessage(msg) });
  };
  const again = (): void => {
    timer = clock.timer(EVERY_MS, () => void refill());
  };
  const refill = async (): Promise<void> => {
    again();
    const { waiting, leased, delayed } = await queue.stats();
    if (waiting + leased + delayed < MOST) await put();
  };
  for (let i = 0; i < SEEDED; i += 1) void put();
  again();
  return () => timer?.cancel();
}
