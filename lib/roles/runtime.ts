/** What all nodes of one Node-RED runtime share. Made once by lib/red; injected everywhere else. */
import type { Clock, Failure, Log, Message, Random, StateStore } from '../core';
import type { LocalQueues } from '../queue/local';
import type { Source } from '../queue/types';
import type { TypedValue } from '../spec';
import { createHealthBoard } from '../observe/health';
import { Metrics } from '../observe/metrics';
import { TimerWheel } from '../policy/wheel';
import { Redactor } from '../secrets/redact';
import type { Status } from './status';

export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly metrics: Metrics;
  readonly board: ReturnType<typeof createHealthBoard>;
  readonly redactor: Redactor;
  /** Absolute path of the user directory. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A durable document of one node; `secret` ones are encrypted. */
  readonly store: (id: string, secret: boolean) => StateStore;
  /** The local store of durable queues, opened with its first user. */
  readonly queues: LocalQueues;
  /** Removes what a deleted node stored. */
  readonly forget: (id: string) => Promise<void>;
}

/** What a role needs from the node it lives in. */
export interface Host {
  readonly id: string;
  /** Name given by the user, or the type and id. */
  readonly name: string;
  readonly type: string;
  /** What dead letters say about the node. */
  readonly source: Source;
  readonly log: Log;
  show(status: Status): void;
  /** Sends messages that no input caused; `output` counts from 0. */
  send(msg: Message, output: number): void;
  /** Reports a failure that no input caused: to Catch nodes, or to the log when none listens and it is not `logged` already. */
  fail(failure: Failure, logged?: boolean): void;
  /** Evaluates what only Node-RED can: context, JSONata, environment. */
  evaluate(typed: TypedValue, msg: Message): Promise<unknown>;
}

export function createRuntime(
  parts: Pick<Runtime, 'clock' | 'random' | 'directory' | 'env' | 'store' | 'queues' | 'forget'>,
): Runtime {
  return {
    ...parts,
    wheel: new TimerWheel(parts.clock),
    metrics: new Metrics(),
    board: createHealthBoard(parts.clock),
    redactor: new Redactor(),
  };
}
