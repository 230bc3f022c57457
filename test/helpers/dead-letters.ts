/** Dead letters for tests. */
import { encodeMessage } from '../../lib/queue/codec';
import type { Message } from '../../lib/core';
import type { DeadLetters, Source } from '../../lib/queue/types';

export const PRESS: Source = { node: 'press', name: 'Press 4', type: 'holdfast-http', flow: 'Hall 2' };

export interface Dying {
  readonly msg?: Message;
  readonly queue?: string;
  readonly id?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly at?: number;
  readonly source?: Source;
}

/** Adds one. Returns its number. */
export function addDead(dead: DeadLetters, dying: Dying = {}): Promise<number> {
  const { msg = { payload: 1 }, queue = 'orders', id = 'id-1', code = 'PEER_REJECTED' } = dying;
  const { reason = 'The server refused the order.', at = Date.UTC(2026, 0, 1), source = PRESS } = dying;
  const entry = { id, key: '', time: at, body: encodeMessage(msg) };
  return dead.add(queue, entry, source, [{ at, kind: 'rejected', code, message: reason }], 1);
}
