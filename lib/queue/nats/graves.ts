/** Writes dead letters: one stream for all queues of a prefix, the oldest make room. */
import type { MsgHdrs } from '@nats-io/transport-node';
import { createHash } from 'node:crypto';
import type { Attempt, DeadLetter, Entry, Source } from '../types';
import { token } from './names';
import {
  ascii,
  bounded,
  boundedSource,
  kindOf,
  parse,
  readRecord,
  sourceOf,
  textOf,
  writeHistory,
  writeRecord,
} from './record';
import type { Session } from './session';
import { ensureStream } from './stream';

const DEAD = 'Holdfast-Dead';
const NANOS = 1_000_000;
/** Until someone sets other limits. */
const FIRST_LIMITS = { maxRecords: 100_000, maxBytes: 256 * 1024 * 1024, maxAgeMs: 90 * 86_400_000 } as const;
/** A record that died twice, because its acknowledgement was lost, is one dead letter within this time. */
export const DEAD_WINDOW_MS = 3_600_000;

export interface Death {
  readonly queue: string;
  readonly entry: Entry;
  readonly attempts: number;
  readonly history: readonly Attempt[];
  readonly owner: Source;
  /** The same death told twice is stored once. */
  readonly once: string;
}

export class Graves {
  readonly stream: string;
  /** Nothing is buried before somebody who began to watch here can hear of it. Never rejects. */
  watching: Promise<unknown> = Promise.resolve();

  constructor(readonly session: Session) {
    this.stream = `${session.places.prefix}_dead`;
  }

  async ensure(): Promise<void> {
    const { StorageType, DiscardPolicy, RetentionPolicy } = this.session.lib.jetstream;
    await ensureStream(this.session, {
      name: this.stream,
      subjects: [`${this.session.places.prefix}.dead.*`],
      description: 'Dead letters of Holdfast',
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      max_msgs: FIRST_LIMITS.maxRecords,
      max_bytes: FIRST_LIMITS.maxBytes,
      max_age: FIRST_LIMITS.maxAgeMs * NANOS,
      duplicate_window: DEAD_WINDOW_MS * NANOS,
      num_replicas: this.session.places.replicas,
    });
  }

  subject(queue: string): string {
    return `${this.session.places.prefix}.dead.${token(queue)}`;
  }

  /** Resolves with the letter's number once the server has stored it. */
  async bury(death: Death): Promise<{ readonly number: number; readonly isNew: boolean }> {
    const { session } = this;
    await this.watching;
    const headers = this.#headers(death);
    const msgID = createHash('sha256').update(death.once).digest('base64url');
    const ack = await session.run(() =>
      session.js.publish(this.subject(death.queue), death.entry.body, { headers, msgID }),
    );
    return { number: ack.seq, isNew: !ack.duplicate };
  }

  #headers(death: Death): MsgHdrs {
    const { id, key, time, body } = death.entry;
    const headers = writeRecord(this.session, { id, key, time, body });
    const last = bounded(death.history.at(-1) ?? unknownAttempt(this.session.clock.now()));
    const first = death.history[0] ?? last;
    writeHistory(headers, death.history.length > 0 ? death.history : [last]);
    const facts = {
      queue: death.queue,
      attempts: death.attempts,
      firstAt: first.at,
      lastAt: last.at,
      kind: last.kind,
      code: last.code,
      message: last.message,
      source: boundedSource(last.source ?? death.owner),
    };
    headers.set(DEAD, ascii(facts));
    return headers;
  }
}

function unknownAttempt(at: number): Attempt {
  return { at, kind: 'unclassified', code: 'UNCLASSIFIED', message: 'It failed without a reason.' };
}

/** A dead letter as its message tells it; also of a message that another program put there. */
export function readLetter(
  number: number,
  queue: string,
  headers: MsgHdrs | undefined,
  bytes: number,
  storedAt: number,
): DeadLetter {
  const raw = parse(headers?.get(DEAD));
  const entry = readRecord(headers, new Uint8Array(), { id: `dead:${number}`, time: storedAt });
  const time = (value: unknown): number => (typeof value === 'number' ? value : storedAt);
  return {
    number,
    queue,
    id: entry.id,
    key: entry.key,
    time: entry.time,
    bytes,
    attempts: typeof raw['attempts'] === 'number' ? raw['attempts'] : 0,
    firstAt: time(raw['firstAt']),
    lastAt: time(raw['lastAt']),
    kind: kindOf(raw['kind']),
    code: textOf(raw['code'], 100) || 'UNCLASSIFIED',
    message: textOf(raw['message'], 500),
    source: sourceOf(raw['source']) ?? boundedSource(undefined),
  };
}
