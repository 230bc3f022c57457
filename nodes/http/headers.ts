/** Request headers (RFC 9110 section 5): one of each name, no smuggling, none that belongs to the transport. */
import type { Message } from '../../lib/core';
import type { Failure } from '../../lib/core';
import { badConfig, badMessage, compileTemplate, render, type Template } from './template';

export type Headers = Record<string, string>;
export interface HeaderRow {
  readonly name: string;
  readonly value: string;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]{1,200}$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const LONGEST = 8192;
const MOST = 100;
/** Framing, routing and the proxy's credentials: whoever sets these changes what the server reads. */
const TRANSPORT = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

type Fail = (sentence: string) => Failure;

/** Adds one header under its lower-case name, so that a second spelling replaces and never doubles it. */
export function setHeader(headers: Headers, name: string, value: string, fail: Fail): void {
  const key = name.trim().toLowerCase();
  const shown = JSON.stringify(name.slice(0, 60));
  if (!TOKEN.test(key) || key === '__proto__') throw fail(`The header name ${shown} is not allowed in HTTP.`);
  if (TRANSPORT.has(key)) throw fail(`The header ${shown} is set by the transport and cannot be given.`);
  if (!VALUE.test(value)) {
    throw fail(
      `The value of header ${shown} holds a line break or another character that HTTP does not allow.`,
    );
  }
  if (value.length > LONGEST)
    throw fail(`The value of header ${shown} is longer than ${LONGEST} characters.`);
  headers[key] = value;
}

/** Header rows of a connection: fixed texts. */
export function fixedHeaders(rows: readonly HeaderRow[]): Headers {
  const headers: Headers = {};
  for (const { name, value } of rows) setHeader(headers, name, value, badConfig);
  return headers;
}

export interface HeaderPlan {
  readonly fixed: Headers;
  readonly templates: readonly { readonly name: string; readonly value: Template }[];
}

/** Header rows of a node: texts with placeholders. */
export function compileHeaders(rows: readonly HeaderRow[]): HeaderPlan {
  const fixed: Headers = {};
  const templates: { name: string; value: Template }[] = [];
  for (const { name, value } of rows) {
    const template = compileTemplate(value, `Headers: ${name}`);
    setHeader(fixed, name, template.fixed ?? '', badConfig);
    if (template.fixed === undefined) templates.push({ name, value: template });
  }
  return { fixed, templates };
}

/** Headers of one message: those of the plan, then those of `more` (usually msg.headers). */
export function renderHeaders(plan: HeaderPlan, msg: Message, more: unknown): Headers {
  const headers: Headers = { ...plan.fixed };
  for (const { name, value } of plan.templates) {
    setHeader(headers, name, render(value, msg, `Headers: ${name}`, identity), badMessage);
  }
  if (more === undefined || more === null) return headers;
  if (typeof more !== 'object' || Array.isArray(more))
    throw badMessage('The message headers are not an object.');
  const entries = Object.entries(more);
  if (entries.length > MOST) throw badMessage(`The message holds more than ${MOST} headers.`);
  for (const [name, value] of entries) {
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw badMessage(
        `The value of header ${JSON.stringify(name.slice(0, 60))} is neither text nor a number.`,
      );
    }
    setHeader(headers, name, String(value), badMessage);
  }
  return headers;
}

const identity = (value: string): string => value;
