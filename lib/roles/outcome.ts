/** What becomes of a message: the patch of a result, or the record of a failure. */
import type { Failure, Message } from '../core';
import type { Redactor } from '../secrets/redact';
import type { Patch, Result } from './declare';

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype', '_msgid']);

/** Sets the properties of a patch on a message. A patch made from a peer's answer cannot reach a prototype. */
export function applyPatch(msg: Message, patch: Patch | undefined): Message {
  if (!patch) return msg;
  for (const name of Object.keys(patch)) {
    if (!FORBIDDEN.has(name)) msg[name] = patch[name];
  }
  return msg;
}

/** A cached result belongs to every message that gets it, so each gets its own copy. */
export function cloneResult(result: Result): Result {
  return result === undefined || result === null ? undefined : structuredClone(result);
}

export function recordFailure(msg: Message, failure: Failure, redactor: Redactor): void {
  msg.failure = redactor.redactDeep(failure.toRecord());
  failure.message = redactor.redact(failure.message);
}
