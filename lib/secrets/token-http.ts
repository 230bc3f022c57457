import type { IncomingMessage } from 'node:http';
import type { Scope } from '../core';
import type { TlsOptions } from './types';

/** Token answers are a few kilobytes. */
export const MAX_TOKEN_BYTES = 65_536;

export interface TokenResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}
/** The one request OAuth2 needs. Rejects when no complete answer comes; never follows a redirect. */
export interface TokenHttp {
  post(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: string,
    scope: Scope,
  ): Promise<TokenResponse>;
}

/** The answer was longer than MAX_TOKEN_BYTES. */
export class AnswerTooLarge extends Error {
  readonly code = 'RESPONSE_TOO_LARGE';
}

/**
 * TokenHttp on node:http and node:https: one connection a request, nothing kept open. Rejects with the reason
 * of `scope` when that ends first.
 */
export function nodeTokenHttp(tls?: TlsOptions): TokenHttp {
  return {
    async post(url, headers, body, scope) {
      scope.throwIfAborted();
      const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
      return new Promise<TokenResponse>((resolve, reject) => {
        const length = String(Buffer.byteLength(body));
        const options = {
          ...tls,
          method: 'POST',
          agent: false,
          headers: { ...headers, 'content-length': length },
        };
        const req = request(url, options);
        const off = scope.onAbort((reason) => req.destroy(reason));
        const settle =
          <T>(finish: (value: T) => void) =>
          (value: T): void => {
            off();
            finish(value);
          };
        req.on('error', settle(reject));
        req.on('response', (response) => void readBody(response).then(settle(resolve), settle(reject)));
        req.end(body);
      });
    },
  };
}

async function readBody(response: IncomingMessage): Promise<TokenResponse> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop destroys the response, and with it the socket.
    if (size > MAX_TOKEN_BYTES) throw new AnswerTooLarge();
    chunks.push(chunk);
  }
  const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}
