/** The parts of Node-RED's runtime API that Holdfast uses; the same in 5 and 4.1. */
import type { Message } from '../core';

export interface RedNode {
  id: string;
  type: string;
  name?: string;
  credentials?: Record<string, unknown>;
  /** Set on connection nodes; read by the nodes that use them. */
  holdfast?: unknown;
  /** Brings an error to Catch nodes without logging it; not public, the same in 5 and 4.1. */
  _flow?: {
    handleError?(node: RedNode, error: Error, msg: object): boolean;
    /** The tab or subflow that the node stands in. */
    flow?: { label?: string };
  };
  log(text: string): void;
  warn(text: string): void;
  error(error: unknown, msg?: object): void;
  debug(text: string): void;
  status(status: { fill?: string; shape?: string; text?: string }): void;
  send(msg: unknown): void;
  on(
    event: 'input',
    fn: (msg: Message, send: (msg: unknown) => void, done: (error?: unknown) => void) => void,
  ): void;
  on(event: 'close', fn: (removed: boolean, done: () => void) => void): void;
}

export interface HttpRequest extends AsyncIterable<Buffer> {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parts of the path that the route names. */
  readonly params?: Readonly<Record<string, string | undefined>>;
  /** What Node-RED's body parser read, when `_body` is true. */
  readonly body?: unknown;
  readonly _body?: boolean;
}
export interface HttpResponse {
  status(code: number): HttpResponse;
  set(name: string, value: string): HttpResponse;
  send(body: string): void;
}
export type HttpHandler = (request: HttpRequest, response: HttpResponse, next: () => void) => void;
/** An Express application; `parent` is the one that it is mounted on. */
export interface HttpApp {
  get(path: string, ...handlers: HttpHandler[]): void;
  post(path: string, ...handlers: HttpHandler[]): void;
  delete(path: string, ...handlers: HttpHandler[]): void;
  use(path: string, handler: HttpErrorHandler): void;
  readonly parent?: HttpApp;
}
export type HttpErrorHandler = (
  error: unknown,
  request: HttpRequest,
  response: HttpResponse,
  next: () => void,
) => void;

export interface Red {
  nodes: {
    createNode(node: object, config: object): void;
    registerType(
      type: string,
      constructor: (this: RedNode, config: Record<string, unknown>) => void,
      options?: object,
    ): void;
    getNode(id: string): RedNode | null | undefined;
  };
  util: {
    evaluateNodeProperty(
      value: string,
      type: string,
      node: RedNode,
      msg: object,
      callback: (error: unknown, value: unknown) => void,
    ): void;
  };
  settings: Record<string, unknown> & { userDir?: string };
  events: { on(event: string, fn: () => void): void };
  plugins?: { registerPlugin(id: string, plugin: object): void };
  httpAdmin?: HttpApp;
  auth?: { needsPermission(permission: string): HttpHandler };
  log: { info(text: string): void; warn(text: string): void; error(text: string): void };
}
