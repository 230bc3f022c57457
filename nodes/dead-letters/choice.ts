/** Which dead letters the node sends. */
import { Failure, FAILURE_KINDS, type FailureKind } from '../../lib/core';
import type { DeadLetter } from '../../lib/queue/types';

export interface Choice {
  /** Names or ids. */
  readonly nodes: readonly string[];
  readonly queues: readonly string[];
  readonly kinds: readonly string[];
  readonly codes: readonly string[];
}

/** Every list that is not empty must hold the letter's own value. */
export function chooser({ nodes, queues, kinds, codes }: Choice): (letter: DeadLetter) => boolean {
  const wrong = kinds.find((kind) => !FAILURE_KINDS.includes(kind as FailureKind));
  if (wrong !== undefined) {
    const sentence = `Kinds must hold ${FAILURE_KINDS.join(', ')}, not "${wrong.slice(0, 40)}".`;
    throw new Failure('config', 'BAD_CONFIG', sentence, { reached: false });
  }
  const holds = (list: readonly string[], ...values: readonly string[]): boolean =>
    list.length === 0 || values.some((value) => list.includes(value));
  return ({ source, queue, kind, code }) =>
    holds(nodes, source.node, source.name) &&
    holds(queues, queue) &&
    holds(kinds, kind) &&
    holds(codes, code);
}
