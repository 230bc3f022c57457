/** From settings and message to a request. What the settings alone decide is compiled once, at the start. */
import type { Effect, Message } from '../../lib/core';
import type { CallValuesOf, ValuesOf } from '../../lib/spec';
import { encodeBody } from './body';
import { compileHeaders, renderHeaders, setHeader, type HeaderPlan, type Headers } from './headers';
import { compilePaging, type Paging } from './paging';
import { compileQuery, renderQuery, type QueryPlan } from './query';
import type { fields } from './request-fields';
import type { Outgoing } from './session';
import { compileSuccess, type SuccessRule } from './success';
import { badConfig, badMessage, type Template } from './template';
import { addQuery, compilePath, overridePath, renderPath, type Base } from './url';

export type Config = ValuesOf<typeof fields>;
export type Values = CallValuesOf<typeof fields>;

export interface Plan {
  readonly path: Template;
  /** The configured path as written: whatever differs came with the message. */
  readonly source: string;
  readonly query: QueryPlan;
  readonly headers: HeaderPlan;
  readonly success: SuccessRule;
  readonly paging: Paging | undefined;
}

/** Two requests of one connection differ after its base, so a key needs none. */
const NO_BASE: Base = { origin: '', prefix: '', secure: false, hostname: '', port: 0 };
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const REPEATABLE: ReadonlySet<string> = new Set(['PUT', 'DELETE']);
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** Throws a `config` Failure for whatever the field kinds cannot check. */
export function compilePlan(config: Config): Plan {
  if (config.idempotency) setHeader({}, config.keyHeader, '', badConfig);
  return {
    path: compilePath(config.path),
    source: config.path,
    query: compileQuery(config.query),
    headers: compileHeaders(config.headers),
    success: compileSuccess(config),
    paging: compilePaging(config),
  };
}

export function effectOf({ method, idempotency }: Pick<Values, 'method' | 'idempotency'>): Effect {
  if (READING.has(method)) return 'safe';
  return REPEATABLE.has(method) || idempotency ? 'idempotent' : 'once';
}

/** `key` is the same for every attempt of a message. */
export function buildRequest(values: Values, msg: Message, plan: Plan, base: Base, key: string): Outgoing {
  const { method } = values;
  const path =
    values.path === plan.source ? renderPath(plan.path, msg, base) : overridePath(values.path, base);
  const headers = renderHeaders(plan.headers, msg, values.moreHeaders);
  const body = WITH_BODY.has(method) ? encodeBody(values.body, values.bodyFormat) : undefined;
  if (body) headers['content-type'] ??= body.type;
  if (values.idempotency && !READING.has(method)) setHeader(headers, values.keyHeader, key, badMessage);
  return {
    method,
    path: addQuery(path, renderQuery(plan.query, msg, values.moreQuery)),
    headers,
    data: body?.data,
    maxBytes: values.maxSize * 1024,
    follow: values.followRedirects,
  };
}

/** Each page is a request of its own, so where keys are sent each needs its own. */
export function pageRequest(first: Outgoing, values: Values, path: string, index: number): Outgoing {
  if (index === 0 || !values.idempotency) return { ...first, path };
  const name = values.keyHeader.trim().toLowerCase();
  const headers: Headers = { ...first.headers };
  if (headers[name] !== undefined) headers[name] = `${headers[name]}-${index}`;
  return { ...first, path, headers };
}

/** The request as it would go out. Addresses in msg.url and results in parts are not kept. */
export function cacheKeyOf(values: Values, msg: Message, plan: Plan): string | undefined {
  if (values.path !== plan.source || (plan.paging && values.pageOutput !== 'joined')) return undefined;
  const { method, path, headers } = buildRequest(values, msg, plan, NO_BASE, '');
  return JSON.stringify([method, path, headers, values.response]);
}

/** "GET /orders/{payload.id}": the template, so that it holds no value of a message and no query. */
export function operationOf({ method, path }: Pick<Values, 'method' | 'path'>): string {
  const local = path.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] ?? '';
  return `${method} ${(local.startsWith('/') ? local : `/${local}`).slice(0, 120)}`;
}

const LONGEST_PAGE_MS = 60_000;

/** The node's timeout in milliseconds, which the role puts beside the node's own values. */
export function timeoutOf(values: object): number {
  const { timeout } = values as { readonly timeout?: unknown };
  return typeof timeout === 'number' && timeout > 0 ? timeout : LONGEST_PAGE_MS;
}
