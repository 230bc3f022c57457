import { constants, verify, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** An authorization server after RFC 6749 and RFC 7523 on 127.0.0.1. */
export interface TokenServer {
  readonly url: string;
  /** Form parameters of every request so far. */
  readonly requests: Record<string, string>[];
  /** Access tokens that are valid now. */
  readonly valid: Set<string>;
  /** The only refresh token that is valid now. */
  refreshToken: string;
  /** Replaces the answer of the next requests. */
  answer: ((req: IncomingMessage, res: ServerResponse) => void) | undefined;
  expiresIn: unknown;
  close(): Promise<void>;
}
export interface ServerOptions {
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly rotate?: boolean;
  readonly jwtKey?: KeyObject;
}

export async function startTokenServer(options: ServerOptions = {}): Promise<TokenServer> {
  const issued = { count: 0 };
  const server = createServer((req, res) => {
    void handle(req, res);
  });
  const state: TokenServer = {
    url: '',
    requests: [],
    valid: new Set(),
    refreshToken: 'refresh-0',
    answer: undefined,
    expiresIn: 3600,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const form = Object.fromEntries(new URLSearchParams(await text(req)));
    state.requests.push(form);
    if (state.answer) return state.answer(req, res);
    const problem = refuse(req, form, options, state.refreshToken);
    if (problem) return send(res, problem === 'invalid_client' ? 401 : 400, { error: problem });
    issued.count += 1;
    const token = `access-${issued.count}`;
    state.valid.add(token);
    const rotated = form.grant_type === 'refresh_token' && options.rotate;
    if (rotated) state.refreshToken = `refresh-${issued.count}`;
    send(res, 200, {
      access_token: token,
      token_type: 'Bearer',
      ...(state.expiresIn === undefined ? {} : { expires_in: state.expiresIn }),
      ...(rotated ? { refresh_token: state.refreshToken } : {}),
    });
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, { url: `http://127.0.0.1:${port}/oauth/token` });
}

export function send(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function refuse(
  req: IncomingMessage,
  form: Record<string, string>,
  options: ServerOptions,
  refreshToken: string,
): string | undefined {
  if (
    req.method !== 'POST' ||
    !/^application\/x-www-form-urlencoded/.test(req.headers['content-type'] ?? '')
  ) {
    return 'invalid_request';
  }
  const [id, secret] = clientOf(req, form);
  if (
    options.clientId !== undefined &&
    (id !== options.clientId || secret !== (options.clientSecret ?? ''))
  ) {
    return 'invalid_client';
  }
  switch (form.grant_type) {
    case 'client_credentials':
      return undefined;
    case 'refresh_token':
      return form.refresh_token === refreshToken ? undefined : 'invalid_grant';
    case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
      return options.jwtKey && isSigned(form.assertion ?? '', options.jwtKey) ? undefined : 'invalid_grant';
    default:
      return 'unsupported_grant_type';
  }
}

/** RFC 6749 section 2.3.1: Basic with form-encoded parts, or form fields; never both. */
function clientOf(req: IncomingMessage, form: Record<string, string>): [string, string] {
  const [, basic] = /^Basic (.+)$/.exec(req.headers.authorization ?? '') ?? [];
  if (basic === undefined) return [form.client_id ?? '', form.client_secret ?? ''];
  if (form.client_secret !== undefined) return ['two methods', ''];
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  const decode = (part: string): string => decodeURIComponent(part.replace(/\+/g, ' '));
  return [decode(id), decode(secret)];
}

/** RFC 7515 section 5.2 for RS256, PS256 and ES256. */
export function isSigned(jwt: string, key: KeyObject): boolean {
  const [head = '', claims = '', signature = ''] = jwt.split('.');
  const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { alg: string };
  const data = Buffer.from(`${head}.${claims}`);
  const bytes = Buffer.from(signature, 'base64url');
  if (alg === 'RS256') return verify('sha256', data, key, bytes);
  if (alg === 'ES256') return verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, bytes);
  if (alg !== 'PS256') return false;
  return verify('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, bytes);
}
