/** What all nodes of one HTTP connection share: one axios instance, its sockets, its credentials. */
import type { IncomingMessage } from 'node:http';
import type { AxiosInstance, AxiosStatic, GenericAbortSignal } from 'axios';
import { Failure, type Scope } from '../../lib/core';

import { afterActing, classify } from './classify';
import { ACCEPT_ENCODING } from './answer';
import { wire } from './collect';
import type { Headers } from './headers';
import { credentialPattern } from './mask';
import type { Auth, AuthParts } from './means';
import { MOST_REDIRECTS, nextHop, type Hop } from './redirect';
import {
  closeTransport,
  homeTransport,
  strangerTransport,
  type Transport,
  type TransportOptions,
} from './transport';
import { receive, type Head, type Received } from './unread';
import { addQuery, dropQuery, type Base } from './url';

export interface SessionOptions extends TransportOptions {
  readonly base: Base;
  readonly headers: Headers;
  readonly auth: Auth;
  /** Origins other than the configured one that a redirect may lead to. */
  readonly redirectOrigins: readonly string[];
}
export interface Outgoing {
  readonly method: string;
  /** With prefix and query, from `/` on. */
  readonly path: string;
  readonly headers: Headers;
  readonly data: string | Buffer | undefined;
  /** Largest answer in bytes, before and after decompression. */
  readonly maxBytes: number;
  readonly follow: boolean;
}
export interface Answer extends Received {
  /** The address that answered, without the parameters that hold credentials. */
  readonly url: string;
  /** Finds credentials that the query carried, for texts that the peer had a hand in. */
  readonly credentials: RegExp | undefined;
  /** Of a redirect after a writing request: that request is done. */
  readonly acted: boolean;
  /** From the configured origin, with our credentials. */
  readonly home: boolean;
}

export class HttpSession {
  readonly options: SessionOptions;
  readonly #axios: AxiosInstance;
  readonly #home: Transport;
  readonly #strangers = new Map<boolean, Transport>();
  #query: AuthParts['query'] = {};
  #secretQuery: readonly string[] = [];
  #credentials: RegExp | undefined;

  constructor(axios: AxiosStatic, options: SessionOptions) {
    this.options = options;
    this.#home = homeTransport(options, options.base.secure);
    this.#axios = axios.create({
      ...this.#home,
      adapter: 'http',
      // The session follows redirects, undoes compression and judges statuses itself; axios only transports.
      allowAbsoluteUrls: false,
      decompress: false,
      headers: { 'user-agent': 'Holdfast', 'accept-encoding': ACCEPT_ENCODING },
      maxBodyLength: Infinity,
      maxRedirects: 0,
      responseType: 'stream',
      transport: wire,
      transformRequest: [],
      transformResponse: [],
      validateStatus: null,
    });
  }

  get base(): Base {
    return this.options.base;
  }

  /** Sends a request; a refused token is renewed and the request sent once more. */
  async send(out: Outgoing, scope: Scope): Promise<Answer> {
    const answer = await this.#journey(out, scope);
    if (answer.status !== 401 || answer.acted || !answer.home || !this.options.auth.renew()) return answer;
    return this.#journey(out, scope);
  }

  /** Takes credentials out of a path that the peer gave back. */
  clean(path: string): string {
    return dropQuery(path, this.#secretQuery);
  }

  close(): void {
    closeTransport(this.#home);
    this.#strangers.forEach(closeTransport);
  }

  async #journey(out: Outgoing, scope: Scope): Promise<Answer> {
    const { base, auth, headers, redirectOrigins } = this.options;
    const parts = await auth.parts(scope);
    this.#learn(parts.query);
    let hop: Hop = { ...out, origin: base.origin, headers: { ...headers, ...out.headers }, home: true };
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.#exchange(hop, parts, out.maxBytes, scope);
      const location = out.follow ? answer.headers['location'] : undefined;
      const next = nextHop(
        hop,
        answer.status,
        typeof location === 'string' ? location : undefined,
        redirectOrigins,
      );
      if (!next) return answer;
      if (redirects >= MOST_REDIRECTS) throw endless(base.origin);
      hop = { ...next, path: this.clean(next.path) };
    }
  }

  async #exchange(hop: Hop, parts: AuthParts, maxBytes: number, scope: Scope): Promise<Answer> {
    try {
      const response = await this.#axios.request<IncomingMessage>({
        ...(hop.home ? {} : this.#stranger(hop.origin.startsWith('https:'))),
        baseURL: hop.origin,
        url: hop.home ? withQuery(hop.path, parts.query) : hop.path,
        method: hop.method,
        headers: requestHeaders(hop, parts),
        data: hop.data,
        signal: new ScopeSignal(scope),
      });
      const { status, data } = response;
      const headers: Head['headers'] = { ...(response.headers as Record<string, string | string[]>) };
      return this.#answer(await receive({ status, headers }, data, maxBytes), hop);
    } catch (error) {
      // axios reports an abort as an error of its own; the reason says what it was.
      if (scope.reason) throw scope.reason;
      const failure = classify(error, hop.origin);
      throw hop.acted ? afterActing(failure) : failure;
    }
  }

  #answer({ status, headers, data, unread }: Received, hop: Hop): Answer {
    return {
      status,
      headers,
      data,
      unread,
      url: hop.origin + this.clean(hop.path),
      credentials: this.#credentials,
      acted: hop.acted === true,
      home: hop.home,
    };
  }

  /** What must be taken out of all that comes back; fixed credentials are looked at once. */
  #learn(query: AuthParts['query']): void {
    if (query === this.#query) return;
    this.#query = query;
    const names = Object.keys(query);
    if (names.length === 0) return;
    this.#secretQuery = names;
    this.#credentials = credentialPattern(query);
  }

  #stranger(secure: boolean): Transport {
    let transport = this.#strangers.get(secure);
    if (!transport) this.#strangers.set(secure, (transport = strangerTransport(this.options, secure)));
    return transport;
  }
}

/** The part of an AbortSignal that axios uses, without the cost of a real one. */
class ScopeSignal implements GenericAbortSignal {
  readonly #scope: Scope;
  #off: (() => void) | undefined;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  get aborted(): boolean {
    return this.#scope.aborted;
  }

  addEventListener(_type: string, listener: (event: { type: string }) => void): void {
    this.#off = this.#scope.onAbort(() => listener({ type: 'abort' }));
  }

  removeEventListener(): void {
    this.#off?.();
  }
}

function requestHeaders(hop: Hop, parts: AuthParts): Record<string, string | false> {
  const headers: Record<string, string | false> = hop.home
    ? { ...hop.headers, ...lowerCase(parts.headers) }
    : { ...hop.headers };
  // Without a body axios would announce a form.
  if (hop.data === undefined) headers['content-type'] ??= false;
  return headers;
}

function lowerCase(headers: Readonly<Record<string, string>>): Headers {
  const lower: Headers = {};
  for (const name in headers) lower[name.toLowerCase()] = headers[name] ?? '';
  return lower;
}

function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  return addQuery(dropQuery(path, Object.keys(query)), Object.entries(query));
}

function endless(origin: string): Failure {
  const text = `${origin} redirects more than ${MOST_REDIRECTS} times. Check the path.`;
  return new Failure('rejected', 'REDIRECT_REFUSED', text, { details: { origin } });
}
