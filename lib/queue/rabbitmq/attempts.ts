/** Failed deliveries as one header: JSON, cut to what a header table can hold beside the others. */
import { FAILURE_KINDS, type FailureKind } from '../../core';
import type { Attempt, Source } from '../types';

const MOST = 20;
const MOST_BYTES = 24_576;
const MESSAGE_CHARS = 500;
const NAME_CHARS = 200;

export function encodeAttempts(attempts: readonly Attempt[]): string {
  const kept = attempts.slice(-MOST).map(tidy);
  for (;;) {
    const json = JSON.stringify(kept);
    if (kept.length <= 1 || Buffer.byteLength(json) <= MOST_BYTES) return json;
    kept.shift();
  }
}

/** Anything else than what `encodeAttempts` writes gives fewer attempts, or none. */
export function decodeAttempts(value: unknown): readonly Attempt[] {
  if (typeof value !== 'string' || value.length > MOST_BYTES) return [];
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list.slice(-MOST).flatMap(attemptOf) : [];
  } catch {
    return [];
  }
}

function attemptOf(value: unknown): Attempt[] {
  const { at, kind, code, message, source } = fieldsOf(value);
  if (typeof at !== 'number' || !isKind(kind) || typeof code !== 'string') return [];
  const from = source === undefined ? undefined : sourceOf(source);
  return [tidy({ at, kind, code, message: textOf(message), ...(from && { source: from }) })];
}

function tidy({ at, kind, code, message, source }: Attempt): Attempt {
  const cut = { at, kind, code: code.slice(0, 100), message: message.slice(0, MESSAGE_CHARS) };
  return source === undefined ? cut : { ...cut, source: sourceOf(source) };
}

function sourceOf(value: unknown): Source {
  const { node, name, type, flow } = fieldsOf(value);
  return { node: short(node), name: short(name), type: short(type), flow: short(flow) };
}

const isKind = (value: unknown): value is FailureKind => FAILURE_KINDS.some((kind) => kind === value);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const short = (value: unknown): string => textOf(value).slice(0, NAME_CHARS);
const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
