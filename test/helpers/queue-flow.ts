/** The nodes of a queue without Node-RED: put, take, acknowledge and reject on one connection. */
import assert from 'node:assert/strict';
import type { Message } from '../../lib/core';
import type { Connection } from '../../lib/roles/connection';
import type { Queue } from '../../lib/queue';
import type { RawConfig } from '../../lib/spec';
import { adapter as acknowledgeNode } from '../../nodes/acknowledge/adapter';
import { adapter as putNode } from '../../nodes/queue/adapter';
import { connector } from '../../nodes/queue/connector';
import { QueueSession } from '../../nodes/queue/session';
import { trigger as takeNode } from '../../nodes/queue/trigger';
import { adapter as rejectNode } from '../../nodes/reject/adapter';
import { Harness, type HarnessOptions, type Recorded } from './harness';
import { VirtualClock } from './virtual-clock';
import type { TriggerNode } from '../../lib/roles/trigger';

export interface QueueFlowOptions extends HarnessOptions {
  readonly secrets?: RawConfig;
  /** Stands between the nodes and the queue. */
  readonly wrap?: (queue: Queue) => Queue;
}

function opening(wrap: ((queue: Queue) => Queue) | undefined): typeof connector {
  if (!wrap) return connector;
  const open: typeof connector.open = async (ctx) => {
    const session = await connector.open(ctx);
    return new QueueSession(wrap(session.queue), session, () => session.close());
  };
  return { ...connector, open };
}

type Send = (msg: Message) => Promise<Message[]>;

export class QueueFlow {
  readonly harness: Harness;
  readonly connection: Connection;
  readonly link: Recorded;

  constructor(raw: RawConfig = {}, options: QueueFlowOptions = {}) {
    this.harness = new Harness(options);
    const settings = { name: 'pieces', store: 'memory', queue: 'pieces', breakerMode: 'consecutive', ...raw };
    const { connection, recorded } = this.harness.connection(
      opening(options.wrap),
      settings,
      options.secrets,
    );
    this.connection = connection;
    this.link = recorded;
  }

  put(raw: RawConfig = {}): Send {
    return this.harness.adapter(putNode, this.connection, raw).send;
  }
  acknowledge(raw: RawConfig = {}): Send {
    return this.harness.adapter(acknowledgeNode, this.connection, raw).send;
  }
  reject(raw: RawConfig = {}): Send {
    return this.harness.adapter(rejectNode, this.connection, raw).send;
  }
  take(raw: RawConfig = {}): { node: TriggerNode; recorded: Recorded } {
    return this.harness.trigger(takeNode, this.connection, raw);
  }
}

/** Payloads of what a take node sent, in order. */
export function payloads({ sent }: Recorded): readonly unknown[] {
  return sent.map(({ msg }) => msg.payload);
}

/** The message that a take node sent as this number, from 0. */
export function sentMessage({ sent }: Recorded, index: number): Message {
  const one = sent[index];
  assert.ok(one, `only ${sent.length} messages were sent`);
  return one.msg;
}

export interface Delivered {
  readonly name: string;
  readonly token: string;
  readonly delivery: number;
  readonly id: string;
  readonly key: string;
  readonly time: string;
  readonly history?: readonly { readonly code: string; readonly message: string; readonly kind: string }[];
}

/** `msg.queue` of a message that was taken. */
export function deliveryOf(msg: Message): Delivered {
  return msg.queue as Delivered;
}

/** Starts on a virtual clock; `end` demands that no timer is left. */
export function onVirtualClock(
  raw: RawConfig = {},
  options: QueueFlowOptions = {},
): {
  flow: QueueFlow;
  clock: VirtualClock;
  end: () => Promise<void>;
} {
  const clock = new VirtualClock();
  const flow = new QueueFlow(raw, { clock, random: () => 0.5, ...options });
  return { flow, clock, end: () => flow.harness.closeOn(clock) };
}
