/** The parts of Node-RED's embedding interface that flow tests use; the same in 5 and 4.1. */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Message } from '../core';

/** One entry of a flow file. Credentials may stand inline. */
export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly [property: string]: unknown;
}
/** By node id. */
export type FlowCredentials = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface NodeStatus {
  /** When it was shown: `performance.now()`. */
  readonly at: number;
  readonly fill?: string;
  readonly shape?: string;
  readonly text?: string;
}
/** What Node-RED or a node logged. Levels: 10 fatal, 20 error, 30 warn, 40 info, 50 debug. */
export interface LogLine {
  readonly level: number;
  /** Of the node that logged; empty for the runtime. */
  readonly id: string;
  readonly type: string;
  readonly text: string;
}
/** One `done()` or `done(error)` of a node. */
export interface Completion {
  readonly id: string;
  readonly msg: Message;
  readonly error: unknown;
  /** `performance.now()`. */
  readonly at: number;
}

type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
export interface RunningNode {
  readonly id: string;
  readonly type: string;
  receive(msg: Message): void;
}
export interface NodeRed {
  init(server: Server, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly version: string | (() => string);
  readonly events: EventEmitter;
  readonly hooks: { add(name: string, fn: (event: never) => void): void; remove(name: string): void };
  readonly nodes: {
    getNode(id: string): RunningNode | null;
    getNodeList(): readonly {
      readonly id: string;
      readonly types: readonly string[];
      readonly err?: unknown;
    }[];
  };
  readonly runtime: {
    readonly flows: {
      setFlows(options: object): Promise<{ rev: string }>;
      getFlows(options: object): Promise<{ flows: readonly FlowNode[] }>;
    };
  };
  readonly httpAdmin: Handler;
  readonly httpNode: Handler;
}
