/** Commands by message: list, show, replay, purge. */
import { Failure, type Message } from '../../lib/core';
import { DEAD_ACTIONS, readRequest, type DeadRequest } from '../../lib/queue/dead';

/**
 * `msg.topic` is the command; `msg.payload` holds the conditions of a filter, one number, or several in an array.
 * Without conditions `list` shows all, and nothing is changed.
 */
export function readCommand({ topic, payload }: Message, now: number): DeadRequest {
  const action = DEAD_ACTIONS.find((one) => one === topic);
  if (!action) {
    const sentence = `Set msg.topic to one of ${DEAD_ACTIONS.join(', ')}, and msg.payload to a filter or a number.`;
    throw new Failure('rejected', 'BAD_MESSAGE', sentence, { reached: false });
  }
  return readRequest(action, conditions(action, payload), now);
}

function conditions(action: DeadRequest['action'], payload: unknown): unknown {
  if (typeof payload === 'number') return action === 'show' ? { number: payload } : { numbers: [payload] };
  if (Array.isArray(payload)) return { numbers: payload as readonly unknown[] };
  return payload === undefined || payload === '' ? {} : payload;
}
