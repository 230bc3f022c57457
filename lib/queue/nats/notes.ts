/**
 * What JetStream does not keep about a record that came back: its failed attempts, and how many of its deliveries do
 * not count. One small message a record in a stream of its own, so that every gateway sees it. Losing notes loses no
 * record.
 */
import type { Attempt } from '../types';
import type { QueueNames } from './names';
import { ascii, historyText, parse, parseHistory } from './record';
import { ensureStream } from './stream';
import type { Session } from './session';

const MOST_NOTES = 1_000_000;
const MOST_BYTES = 64 * 1024 * 1024;

export interface Note {
  readonly history: readonly Attempt[];
  /** Deliveries that were given back untouched. */
  readonly released: number;
}
export const NO_NOTE: Note = { history: [], released: 0 };

export class Notes {
  readonly #stream: string;

  constructor(readonly session: Session) {
    this.#stream = `${session.places.prefix}_note`;
  }

  async ensure(): Promise<void> {
    const { StorageType, DiscardPolicy, RetentionPolicy } = this.session.lib.jetstream;
    await ensureStream(this.session, {
      name: this.#stream,
      subjects: [`${this.session.places.prefix}.note.*.*`],
      description: 'Failed attempts of records in queues of Holdfast',
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      max_msgs: MOST_NOTES,
      max_bytes: MOST_BYTES,
      max_msgs_per_subject: 1,
      num_replicas: this.session.places.replicas,
    });
  }

  async write(names: QueueNames, seq: number, note: Note): Promise<void> {
    const text = ascii({ released: note.released, history: historyText(note.history) });
    await this.session.run(() => this.session.js.publish(`${names.notes}.${seq}`, text));
  }

  /** Never throws for a note that is missing or cannot be read. */
  async read(names: QueueNames, seq: number): Promise<Note> {
    const query = { last_by_subj: `${names.notes}.${seq}` };
    const stored = await this.session.run(() => this.session.jsm.streams.getMessage(this.#stream, query));
    if (!stored) return NO_NOTE;
    const raw = parse(stored.string());
    const released = raw['released'];
    const history = raw['history'];
    return {
      released: Number.isSafeInteger(released) && Number(released) > 0 ? Number(released) : 0,
      history: parseHistory(typeof history === 'string' ? history : undefined),
    };
  }

  /** A note that stays behind is harmless and bounded, so a failure here is none. */
  async drop(names: QueueNames, seq: number | '*'): Promise<void> {
    const filter = `${names.notes}.${seq}`;
    await this.session.run(() => this.session.jsm.streams.purge(this.#stream, { filter })).catch(() => {});
  }
}
