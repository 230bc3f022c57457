/** A record as a NATS message: the body is the body, everything else stands in headers of printable ASCII. */
import { createHash } from 'node:crypto';
import type { MsgHdrs } from '@nats-io/transport-node';
import { FAILURE_KINDS, type FailureKind } from '../../core';
import type { Attempt, Entry, Source } from '../types';
import type { Session } from './session';

const RECORD = 'Holdfast-Record';
const HISTORY = 'Holdfast-History';
const PLAIN_ID = /^(?!holdfast:)[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/;

export const MOST_ATTEMPTS = 20;
/** Room that every message leaves for what its dead letter adds. */
export const HEADER_RESERVE = 32 * 1024;
const LONGEST_HISTORY = 16 * 1024;
const LONGEST_TEXT = 500;
const NOBODY: Source = { node: '', name: '', type: '', flow: '' };

/** What the server compares to find duplicates: the id itself where a header can hold it. */
export function messageId(id: string): string {
  return PLAIN_ID.test(id)
    ? id
    : `holdfast:${createHash('sha256').update(id, 'utf16le').digest('base64url')}`;
}

export function writeRecord(session: Session, entry: Entry): MsgHdrs {
  const headers = session.lib.transport.headers();
  const { id, key, time } = entry;
  headers.set(RECORD, ascii({ id, key, time }));
  if (entry.history && entry.history.length > 0) writeHistory(headers, entry.history);
  return headers;
}

/** Also reads messages that another program put into the stream: `fallbackId` names those. */
export function readRecord(
  headers: MsgHdrs | undefined,
  body: Uint8Array,
  fallback: { readonly id: string; readonly time: number },
): Entry {
  const raw = parse(headers?.get(RECORD));
  const id = textOf(raw['id'], 200);
  const time = raw['time'];
  return {
    id: id === '' ? headers?.get('Nats-Msg-Id').slice(0, 200) || fallback.id : id,
    key: textOf(raw['key'], 200),
    time: typeof time === 'number' && Number.isFinite(time) ? time : fallback.time,
    body,
  };
}

/** The last attempts that fit; the newest always does. */
export function writeHistory(headers: MsgHdrs, history: readonly Attempt[]): void {
  headers.set(HISTORY, historyText(history));
}

export function readHistory(headers: MsgHdrs | undefined): readonly Attempt[] {
  return parseHistory(headers?.get(HISTORY));
}

export function historyText(history: readonly Attempt[]): string {
  let kept = history.slice(-MOST_ATTEMPTS).map(bounded);
  let text = ascii(kept);
  while (text.length > LONGEST_HISTORY && kept.length > 1) {
    kept = kept.slice(1);
    text = ascii(kept);
  }
  return text;
}

export function parseHistory(text: string | undefined): readonly Attempt[] {
  const list = parseJson(text);
  return Array.isArray(list) ? list.slice(-MOST_ATTEMPTS).map(attemptOf) : [];
}

/** JSON that a header can hold; lone surrogates survive as escapes. */
export function ascii(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** An object whose properties may be anything; empty for what is none. */
export function parse(text: string | undefined): Readonly<Record<string, unknown>> {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

export function sourceOf(value: unknown): Source | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { node, name, type, flow } = value as Record<string, unknown>;
  return {
    node: textOf(node, 200),
    name: textOf(name, 200),
    type: textOf(type, 200),
    flow: textOf(flow, 200),
  };
}

export function attemptOf(value: unknown): Attempt {
  const raw = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const attempt = {
    at: typeof raw['at'] === 'number' ? raw['at'] : 0,
    kind: kindOf(raw['kind']),
    code: textOf(raw['code'], 100),
    message: textOf(raw['message'], LONGEST_TEXT),
  };
  const source = sourceOf(raw['source']);
  return source ? { ...attempt, source } : attempt;
}

export function kindOf(value: unknown): FailureKind {
  return FAILURE_KINDS.find((kind) => kind === value) ?? 'unclassified';
}

export function textOf(value: unknown, longest: number): string {
  return typeof value === 'string' ? value.slice(0, longest) : '';
}

/** What one attempt may add to a header. */
export function bounded(attempt: Attempt): Attempt {
  return attemptOf(attempt);
}

export function boundedSource(source: Source | undefined): Source {
  return sourceOf(source) ?? NOBODY;
}

function parseJson(text: string | undefined): unknown {
  if (!text || text.length > 4 * HEADER_RESERVE) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
