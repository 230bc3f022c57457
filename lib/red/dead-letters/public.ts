/** What of a dead letter may be shown: everything but known secrets and credentials of well-known shape. */
import { badRequest, getLetter, type DeadAnswer, type DeadRequest } from '../../queue/dead';
import type { DeadLetters } from '../../queue/types';
import { MASK, type Redactor } from '../../secrets/redact';
import { maskHeaders } from './mask-headers';

/** A copy of an answer without secrets. */
export function publicAnswer(answer: DeadAnswer, redactor: Redactor): DeadAnswer {
  if (!('message' in answer)) return redactor.redactDeep(answer) as DeadAnswer;
  const { message, ...facts } = answer;
  const text = redactor.redact(maskHeaders(message));
  return { ...(redactor.redactDeep(facts) as typeof facts), message: text };
}

/** An edited message that still holds the mask of a hidden secret would send the mask instead of the secret. */
export async function refuseMasked(dead: DeadLetters, request: DeadRequest): Promise<void> {
  if (request.action !== 'replay' || request.message?.includes(MASK) !== true) return;
  const [number = 0] = request.filter.numbers ?? [];
  const { body } = await getLetter(dead, number);
  if (Buffer.from(body).includes(MASK)) return;
  throw badRequest(
    `The edited message holds ${MASK} where a secret was hidden from view. Write the value itself, or replay without an edit.`,
  );
}
