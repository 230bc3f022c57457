/** One request on the dead letters of a store, from text to public answer. */
import { deadOf, readRequest, runRequest, type DeadAction, type DeadAnswer } from '../../queue/dead';
import type { QueueStore } from '../../queue/types';
import type { Redactor } from '../../secrets/redact';
import { publicAnswer, refuseMasked } from './public';

/** `now` is the wall clock. Rejects with a Failure when the request is wrong or the store cannot be used. */
export async function askDeadLetters(
  store: QueueStore,
  action: DeadAction,
  raw: unknown,
  redactor: Redactor,
  now: number,
): Promise<DeadAnswer> {
  const request = readRequest(action, raw, now);
  const dead = deadOf(store);
  await refuseMasked(dead, request);
  return publicAnswer(await runRequest(dead, request), redactor);
}
