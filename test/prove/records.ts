/** What all processes under test do with records, in the same way. */
import type { Queue, QueueStore } from '../../lib/queue';
import type { Ending, LedgerEvent } from './ledger';
import { between, randomOf } from './random';

/** The queue that is worked on. */
export const QUEUE = 'plant/line-1';

/** A body that its id alone determines, so that any other is noticed. Ids are `<key>-<number>-<bytes>`. */
export function bodyOf(id: string): Uint8Array {
  const bytes = Number(id.split('-')[2]);
  const random = randomOf(Buffer.from(id).reduce((sum, byte) => (sum * 31 + byte) | 0, 7));
  return Buffer.alloc(between(random, 0, 4 * bytes), `${id} `);
}

/** Ends a delivery in one of the four ways. */
export function endAs(queue: Queue, how: Ending, token: string): Promise<boolean> {
  const attempt = {
    at: 0,
    kind: 'rejected',
    code: 'PEER_REJECTED',
    message: 'The peer refused it.',
  } as const;
  switch (how) {
    case 'acknowledge':
      return queue.acknowledge(token);
    case 'reject':
      return queue.reject(token, attempt, 0);
    case 'release':
      return queue.release(token);
    case 'deadLetter':
      return queue.deadLetter(token, attempt);
  }
}

/** What is left once nothing can be leased any more. */
export async function tellEnd(
  store: QueueStore,
  queue: Queue,
  name: string,
  tell: (event: LedgerEvent) => void,
): Promise<void> {
  const dead: string[] = [];
  for (let after = 0, more = true; more && store.dead;) {
    const page = await store.dead.list({ queue: name }, { after, limit: 500 });
    dead.push(...page.map((letter) => letter.id));
    after = page.at(-1)?.number ?? after;
    more = page.length > 0;
  }
  const { waiting, leased, delayed, totals } = await queue.stats();
  const { put, acknowledged, died } = totals;
  const dropped = totals.dropped.full + totals.dropped.old + totals.dropped.purged;
  const there = waiting + leased + delayed;
  tell({ e: 'drained', dead, totals: { put, acknowledged, died, dropped, there } });
}
