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

export interface HttpRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
export interface HttpResponse {
  status(code: number): HttpResponse;
  set(name: string, value: string): HttpResponse;
  send(body: string): void;
}
type HttpHandler = (request: HttpRequest, response: HttpResponse, next: () => void) => void;

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
  httpAdmin?: { get(path: string, ...handlers: HttpHandler[]): void };
  auth?: { needsPermission(permission: string): HttpHandler };
  log: { info(text: string): void; warn(text: string): void; error(text: string): void };
}
