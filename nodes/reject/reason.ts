/** Why a message is given back, from what nodes and flows say in many shapes. */
import { asText, FAILURE_KINDS, type FailureKind, type Message } from '../../lib/core';
import type { Attempt, Source } from '../../lib/queue';

const LONGEST_TEXT = 1000;
const LONGEST_CODE = 100;

/** `node`: who says so when the reason does not name the node that failed. */
export function attemptOf(reason: unknown, msg: Message, at: number, node: Source): Attempt {
  const said = isEmpty(reason) ? own(msg, 'error') : reason;
  const code = textOf(own(said, 'code'), LONGEST_CODE);
  return {
    at,
    kind: kindOf(own(said, 'kind')),
    code: /^[A-Z][A-Z0-9_]*$/.test(code) ? code : 'REJECTED_BY_FLOW',
    message: sentence(said),
    source: sourceOf(own(own(msg, 'error'), 'source'), node),
  };
}

function sentence(said: unknown): string {
  if (isEmpty(said)) return 'The flow gave the message back without a reason.';
  const message = own(said, 'message');
  const text = isEmpty(message) ? (typeof said === 'object' ? '' : said) : message;
  return textOf(text, LONGEST_TEXT) || 'The flow gave the message back without a reason in words.';
}

/** As a Catch node tells which node failed. */
function sourceOf(value: unknown, node: Source): Source {
  const id = textOf(own(value, 'id'), LONGEST_CODE);
  if (id === '') return node;
  return {
    node: id,
    name: textOf(own(value, 'name'), LONGEST_CODE) || id,
    type: textOf(own(value, 'type'), LONGEST_CODE),
    flow: node.flow,
  };
}

function kindOf(value: unknown): FailureKind {
  return FAILURE_KINDS.find((one) => one === value) ?? 'rejected';
}

function textOf(value: unknown, longest: number): string {
  if (isEmpty(value)) return '';
  const text = asText(value);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** An own property, or `message` of an Error; never one of a prototype. */
function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
