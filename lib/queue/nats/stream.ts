/** The streams: made when they do not exist, compared when they do, never silently changed. */
import type { ConsumerInfo, StreamConfig, StreamInfo } from '@nats-io/jetstream';
import { Failure } from '../../core';
import type { QueueOptions } from '../types';
import type { QueueNames } from './names';
import type { Session } from './session';

/** Records of one queue that may be out at once, over all gateways; delayed ones count. */
const MOST_OUT = 100_000;
const NANOS = 1_000_000;
const STREAM_NOT_FOUND = 10_059;
const CONSUMER_NOT_FOUND = 10_014;
const NAME_IN_USE = 10_058;
const CONSUMER_EXISTS = 10_148;
/** Shortest window that is worth the server's memory where none is asked for: it covers repeated replays. */
const LEAST_WINDOW_MS = 120_000;
const OURS = 'Queue of Holdfast';
/** A replay made the stream before any node said how the queue shall be. */
const UNCLAIMED = 'Queue of Holdfast, settings not chosen yet';

export type NewStream = Partial<StreamConfig> & { name: string };

/** The stream of a queue with these settings; without settings, one that its first opener may still shape. */
export function queueStream(
  session: Session,
  names: QueueNames,
  options: QueueOptions | undefined,
): NewStream {
  const { RetentionPolicy, StorageType, DiscardPolicy } = session.lib.jetstream;
  return {
    name: names.stream,
    subjects: [names.subject],
    description: options ? OURS : UNCLAIMED,
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_msgs: options?.maxRecords || -1,
    max_bytes: options?.maxBytes || -1,
    max_age: 0,
    duplicate_window: Math.max(options?.duplicateWindowMs ?? 0, LEAST_WINDOW_MS) * NANOS,
    num_replicas: session.places.replicas,
  };
}

/** Makes or checks the stream and the consumer of a queue. True when the stream is new. */
export async function ensureQueue(
  session: Session,
  name: string,
  names: QueueNames,
  options: QueueOptions,
): Promise<boolean> {
  const wanted = queueStream(session, names, options);
  const { info, made } = await ensureStream(session, wanted);
  if (info.config.description === UNCLAIMED)
    await session.run(() => session.jsm.streams.update(names.stream, wanted));
  else if (!made)
    compare(`The queue "${name}" (stream ${names.stream})`, streamFacts(info.config), streamFacts(wanted));
  await ensureConsumer(session, name, names, options);
  return made;
}

/** The stream as it is, made when it did not exist. */
export async function ensureStream(
  session: Session,
  wanted: NewStream,
): Promise<{ readonly info: StreamInfo; readonly made: boolean }> {
  const found = await streamInfo(session, wanted.name);
  if (found) return { info: found, made: false };
  try {
    return { info: await session.run(() => session.jsm.streams.add(wanted)), made: true };
  } catch (error) {
    if (apiCode(error) !== NAME_IN_USE) throw error;
    // Another gateway was faster, with other settings.
    const info = await streamInfo(session, wanted.name);
    if (!info) throw error;
    return { info, made: false };
  }
}

export async function streamInfo(session: Session, stream: string): Promise<StreamInfo | undefined> {
  try {
    return await session.run(() => session.jsm.streams.info(stream));
  } catch (error) {
    if (apiCode(error) === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

async function ensureConsumer(
  session: Session,
  name: string,
  names: QueueNames,
  options: QueueOptions,
): Promise<void> {
  const { AckPolicy, DeliverPolicy } = session.lib.jetstream;
  const wanted = {
    durable_name: names.consumer,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: session.places.holdMs * NANOS,
    // A record that reached its limit would stay in the stream for ever: we count ourselves and dead-letter it.
    max_deliver: -1,
    // One line: nothing is handed out while one record is out or delayed.
    max_ack_pending: options.ordered ? 1 : MOST_OUT,
  };
  const found = await consumerInfo(session, names);
  if (!found) {
    try {
      await session.run(() => session.jsm.consumers.add(names.stream, wanted));
    } catch (error) {
      if (apiCode(error) !== CONSUMER_EXISTS) throw error;
    }
    return;
  }
  const subject = `The queue "${name}" (consumer ${names.consumer} of stream ${names.stream})`;
  compare(subject, consumerFacts(found.config), consumerFacts(wanted));
  if ((found.config.max_deliver ?? -1) > 0) {
    session.log.warn(
      `${subject} has max_deliver ${found.config.max_deliver ?? 0} on the server: records that reach it become dead letters, whatever this node's limit is.`,
    );
  }
}

async function consumerInfo(session: Session, names: QueueNames): Promise<ConsumerInfo | undefined> {
  try {
    return await session.run(() => session.jsm.consumers.info(names.stream, names.consumer));
  } catch (error) {
    if (apiCode(error) === CONSUMER_NOT_FOUND) return undefined;
    throw error;
  }
}

type Facts = Readonly<Record<string, string>>;

function streamFacts(config: Partial<StreamConfig>): Facts {
  return {
    subjects: (config.subjects ?? []).join(', '),
    retention: String(config.retention),
    storage: String(config.storage),
    discard: String(config.discard),
    max_msgs: limit(config.max_msgs),
    max_bytes: limit(config.max_bytes),
    max_age: seconds(config.max_age),
    duplicate_window: seconds(config.duplicate_window),
    num_replicas: String(config.num_replicas ?? 1),
  };
}

function consumerFacts(config: {
  ack_policy?: string;
  ack_wait?: number;
  max_ack_pending?: number;
  filter_subject?: string;
  deliver_subject?: string;
}): Facts {
  return {
    ack_policy: String(config.ack_policy),
    ack_wait: seconds(config.ack_wait),
    max_ack_pending: limit(config.max_ack_pending),
    filter_subject: config.filter_subject || 'none',
    deliver_subject: config.deliver_subject || 'none',
  };
}

function compare(subject: string, have: Facts, want: Facts): void {
  const differ = Object.keys(want).filter((key) => have[key] !== want[key]);
  if (differ.length === 0) return;
  const list = differ.map(
    (key) => `${key} is ${have[key] ?? ''} where this node asks for ${want[key] ?? ''}`,
  );
  throw new Failure(
    'config',
    'BAD_CONFIG',
    `${subject} exists on the NATS server with other settings: ${list.join('; ')}. Give all gateways the same settings, or change the server's with the nats tool; nothing was changed.`,
    { reached: false, details: { differ } },
  );
}

const limit = (value: number | undefined): string => (value && value > 0 ? String(value) : 'none');
const seconds = (nanos: number | undefined): string => `${(nanos ?? 0) / 1e9} s`;

/** JetStream's number for an error; the failure that `run` makes of it keeps it as its cause. */
export function apiCode(error: unknown): number {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'number' ? code : 0;
}
