/** The message that the node sends for one dead letter. */
import { toFailure, type Message } from '../../lib/core';
import { decodeMessage } from '../../lib/queue/codec';
import { factsOf } from '../../lib/queue/dead';
import type { DeadLetterDetail } from '../../lib/queue/types';

/** `original` is missing when the stored message cannot be read; `payload.unreadable` then says why. */
export function letterMessage(letter: DeadLetterDetail): Message {
  const facts = factsOf(letter);
  const topic = 'dead letter';
  try {
    return { topic, payload: facts, original: decodeMessage(letter.body) };
  } catch (error) {
    return { topic, payload: { ...facts, unreadable: toFailure(error).message } };
  }
}
