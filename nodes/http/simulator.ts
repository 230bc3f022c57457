/**
 * A small REST API on Node's own HTTP server: orders in pages of every kind, readings, idempotent writes, and a
 * branch under /flaky that fails now and then. Written from RFC 9110, 8288 and 6750; it shares no code with the
 * client.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Clock, Timer } from '../../lib/core';
import { readings, seeded, seedOrders, type Order } from './simulator-data';

export interface SimulatorOptions {
  readonly port: number;
  readonly seed: number;
  readonly clock: Clock;
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly url: URL;
  readonly body: string;
}
interface State {
  readonly orders: Order[];
  /** Answers by idempotency key, so that a repeated request acts once. */
  readonly answered: Map<
    string,
    { readonly request: string; readonly status: number; readonly body: unknown }
  >;
  readonly random: () => number;
  readonly clock: Clock;
  readonly timers: Set<Timer>;
  received: number;
}
type Handler = (exchange: Exchange, state: State, id: string) => void;

const LARGEST_BODY = 1_048_576;
const MOST_KEYS = 10_000;
const PAGE = 20;
/** What the client has to present at /secure; the API has no secrets worth the name. */
const LOGIN = 'holdfast:simulated';
const TOKEN = 'simulated-token';
const API_KEY = 'simulated-key';

const ROUTES: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
  ['GET', /^\/health$/, ({ res }) => json(res, 200, { status: 'ok' })],
  ['GET', /^\/orders$/, ({ res }, { orders }) => json(res, 200, orders)],
  ['GET', /^\/orders\/link$/, pageByLink],
  ['GET', /^\/orders\/next$/, pageByNextField],
  ['GET', /^\/orders\/cursor$/, pageByCursor],
  ['GET', /^\/orders\/offset$/, pageByOffset],
  ['GET', /^\/orders\/page$/, pageByNumber],
  ['GET', /^\/orders\/gzip$/, ({ res }, { orders }) => gzip(res, orders)],
  ['GET', /^\/orders\/([^/]+)$/, oneOrder],
  ['POST', /^\/orders$/, postOrder],
  ['DELETE', /^\/orders\/([^/]+)$/, deleteOrder],
  ['GET', /^\/readings$/, ({ res }, { clock, random }) => json(res, 200, readings(clock.now(), random))],
  ['POST', /^\/readings$/, postReadings],
  [
    'GET',
    /^\/stats$/,
    ({ res }, { orders, received }) => json(res, 200, { orders: orders.length, received }),
  ],
  ['GET', /^\/slow$/, slow],
  ['GET', /^\/redirect$/, ({ res }) => void res.writeHead(302, { location: '/orders' }).end()],
  ['GET', /^\/secure\/(basic|bearer|key)$/, secure],
  ['', /^\/echo$/, echo],
];

export async function start(
  options: SimulatorOptions,
): Promise<{ host: string; port: number; close(): Promise<void> }> {
  const random = seeded(options.seed);
  const state: State = {
    orders: seedOrders(random),
    answered: new Map(),
    random,
    clock: options.clock,
    timers: new Set(),
    received: 0,
  };
  const server = createServer((req, res) => {
    res.on('error', () => {});
    void read(req)
      .then((body) => answer({ req, res, body, url: new URL(req.url ?? '/', 'http://127.0.0.1') }, state))
      .catch((error: unknown) => {
        const status = error instanceof TooLarge ? 413 : 400;
        if (!res.headersSent)
          json(res, status, { error: 'The request cannot be read.' }, { connection: 'close' });
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const timer of state.timers) timer.cancel();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function answer(exchange: Exchange, state: State): void {
  const { req, res, url } = exchange;
  const flaky = /^\/flaky(?=\/|$)/.test(url.pathname);
  const path = flaky ? url.pathname.slice('/flaky'.length) || '/health' : url.pathname;
  const route = ROUTES.find(
    ([method, pattern]) => (method === '' || method === req.method) && pattern.test(path),
  );
  if (!route) {
    const known = ROUTES.some(([, pattern]) => pattern.test(path));
    return json(res, known ? 405 : 404, { error: `There is no ${req.method} ${path}.` });
  }
  const [, pattern, handler] = route;
  const id = decodeURIComponent(pattern.exec(path)?.[1] ?? '');
  if (!flaky) return handler(exchange, state, id);
  const luck = state.random();
  if (luck < 0.12) return json(res, 503, { error: 'The line is busy.' }, { 'retry-after': '1' });
  if (luck < 0.22) return json(res, 500, { error: 'The database is locked.' });
  if (luck < 0.28) return void req.socket.destroy();
  if (luck < 0.34) {
    // The nastiest failure: the work is done, and the answer is lost.
    handler({ ...exchange, res: lost(req) }, state, id);
    return void req.socket.destroy();
  }
  handler(exchange, state, id);
}

function pageByLink({ res, url }: Exchange, { orders }: State): void {
  const page = whole(url, 'page', 1);
  const last = Math.ceil(orders.length / PAGE);
  const to = (n: number, rel: string): string => `<${url.origin}/orders/link?page=${n}>; rel="${rel}"`;
  const links = [to(1, 'first'), to(last, 'last'), ...(page < last ? [to(page + 1, 'next')] : [])];
  json(res, 200, slice(orders, (page - 1) * PAGE, PAGE), { link: links.join(', ') });
}

function pageByNextField({ req, res, url }: Exchange, { orders }: State): void {
  const from = whole(url, 'from', 0);
  const more = from + PAGE < orders.length;
  const next = more ? `http://${req.headers.host ?? 'localhost'}/orders/next?from=${from + PAGE}` : null;
  json(res, 200, { items: slice(orders, from, PAGE), next });
}

function pageByCursor({ res, url }: Exchange, { orders }: State): void {
  const after = Buffer.from(url.searchParams.get('cursor') ?? '', 'base64url').toString();
  const from = after === '' ? 0 : orders.findIndex(({ id }) => id === after) + 1;
  const items = slice(orders, from, PAGE);
  const last = items.at(-1)?.id ?? '';
  const cursor = from + PAGE < orders.length ? Buffer.from(last).toString('base64url') : null;
  json(res, 200, { items, cursor });
}

function pageByOffset({ res, url }: Exchange, { orders }: State): void {
  const size = Math.min(whole(url, 'limit', PAGE), PAGE);
  json(res, 200, { items: slice(orders, whole(url, 'offset', 0), size), total: orders.length });
}

function pageByNumber({ res, url }: Exchange, { orders }: State): void {
  const size = Math.min(whole(url, 'limit', PAGE), PAGE);
  json(res, 200, slice(orders, (whole(url, 'page', 1) - 1) * size, size));
}

function oneOrder({ res }: Exchange, { orders }: State, id: string): void {
  const order = orders.find((one) => one.id === id);
  json(res, order ? 200 : 404, order ?? { error: `There is no order ${id}.` });
}

function postOrder(exchange: Exchange, state: State): void {
  once(exchange, state, () => {
    const given = parse(exchange.body) as Partial<Order> | undefined;
    if (typeof given?.article !== 'string' || typeof given.quantity !== 'number' || given.quantity <= 0) {
      return [422, { error: 'An order needs an article and a positive quantity.' }];
    }
    const { article, quantity } = given;
    const due = new Date(state.clock.now()).toISOString();
    const order: Order = { id: `A${1001 + state.orders.length}`, article, quantity, state: 'open', due };
    state.orders.push(order);
    return [201, order];
  });
}

function deleteOrder({ res }: Exchange, { orders }: State, id: string): void {
  const at = orders.findIndex((one) => one.id === id);
  if (at >= 0) orders.splice(at, 1);
  res.writeHead(at >= 0 ? 204 : 404).end();
}

function postReadings(exchange: Exchange, state: State): void {
  once(exchange, state, () => {
    const given = parse(exchange.body);
    if (given === undefined) return [400, { error: 'The body is not JSON.' }];
    const accepted = Array.isArray(given) ? given.length : 1;
    state.received += accepted;
    return [202, { accepted, received: state.received }];
  });
}

/** Runs `act` once for each idempotency key; a repeat gets the first answer again. */
function once({ req, res, body }: Exchange, state: State, act: () => [number, unknown]): void {
  const key = req.headers['idempotency-key'];
  const known = typeof key === 'string' ? state.answered.get(key) : undefined;
  if (known && known.request !== body)
    return json(res, 422, { error: 'The key was used for another request.' });
  if (known) return json(res, known.status, known.body, { 'idempotent-replayed': 'true' });
  const [status, value] = act();
  if (typeof key === 'string' && state.answered.size < MOST_KEYS) {
    state.answered.set(key, { request: body, status, body: value });
  }
  json(res, status, value);
}

function slow({ res, url }: Exchange, { clock, timers }: State): void {
  const ms = Math.min(whole(url, 'ms', 2000), 60_000);
  const timer = clock.timer(ms, () => {
    timers.delete(timer);
    json(res, 200, { waited: ms });
  });
  timers.add(timer);
  res.once('close', () => {
    timer.cancel();
    timers.delete(timer);
  });
}

function secure({ req, res, url }: Exchange, _state: State, kind: string): void {
  const { authorization } = req.headers;
  const basic = authorization === `Basic ${Buffer.from(LOGIN).toString('base64')}`;
  const key = req.headers['x-api-key'] === API_KEY || url.searchParams.get('api_key') === API_KEY;
  const good = { basic, bearer: authorization === `Bearer ${TOKEN}`, key }[kind] ?? false;
  const challenge = { 'www-authenticate': kind === 'bearer' ? 'Bearer' : 'Basic realm="simulator"' };
  if (good) json(res, 200, { welcome: kind });
  else json(res, 401, { error: 'These credentials are not known here.' }, challenge);
}

function echo({ req, res, url, body }: Exchange): void {
  const { method, headers } = req;
  json(res, 200, { method, path: url.pathname, query: Object.fromEntries(url.searchParams), headers, body });
}

function json(
  res: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

function gzip(res: ServerResponse, value: unknown): void {
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  res.writeHead(200, headers).end(gzipSync(JSON.stringify(value)));
}

/** A response that goes nowhere. */
function lost(req: IncomingMessage): ServerResponse {
  const nowhere = { writeHead: () => nowhere, end: () => nowhere, once: () => nowhere, req };
  return nowhere as unknown as ServerResponse;
}

class TooLarge extends Error {}

async function read(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new TooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

const slice = (orders: readonly Order[], from: number, size: number): Order[] =>
  orders.slice(from, from + size);

function whole(url: URL, name: string, fallback: number): number {
  const value = Number(url.searchParams.get(name) ?? fallback);
  return Number.isSafeInteger(value) && value >= 0 ? value : fallback;
}
