/** What becomes of a message: the patch of a result, or the record of a failure. */
import { Failure, type Message } from '../core';
import type { Redactor } from '../secrets/redact';
import type { Patch } from './declare';

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype', '_msgid']);

/** Sets the properties of a patch on a message. A patch made from a peer's answer cannot reach a prototype. */
export function applyPatch(msg: Message, patch: Patch | undefined): Message {
  if (!patch) return msg;
  for (const name of Object.keys(patch)) {
    if (!FORBIDDEN.has(name)) msg[name] = patch[name];
  }
  return msg;
}

/**
 * A failure as it may leave the node: Node-RED shows message, stack and cause to Catch nodes and in the log. The
 * cause is a library's error and can hold whole requests, so only its name and message are kept, in the stack.
 */
export function publicFailure(failure: Failure, redactor: Redactor): Failure {
  const { kind, code, reached, retryAfterMs, partial } = failure;
  const shown = new Failure(kind, code, redactor.redact(failure.message), {
    reached,
    partial,
    details: redactor.redactDeep(failure.details) as Record<string, unknown>,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
  const cause = failure.cause instanceof Error ? `\nCaused by ${failure.cause.stack ?? ''}` : '';
  shown.stack = redactor.redact(`${failure.stack ?? ''}${cause}`);
  return shown;
}

/** Nodes before this one may have frozen the message. */
export function writable(msg: Message): Message {
  return Object.isExtensible(msg) ? msg : { ...msg };
}

/** Sets `msg.failure` and gives the failure to throw. */
export function recordFailure(msg: Message, failure: Failure, redactor: Redactor): Failure {
  const shown = publicFailure(failure, redactor);
  try {
    msg.failure = shown.toRecord();
  } catch {
    // A frozen message cannot hold it; the failure itself still says everything.
  }
  return shown;
}
