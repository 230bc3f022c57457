/** The paced results of one node that wait for ticks. */
import { Failure, type Clock, type Message } from '../core';
import { Pace } from './chunks';

/** Each keeps a cursor open at the peer. */
const MOST_OPEN = 32;
const LONGEST_WAIT_MS = 10 * 60_000;

export class Paces {
  readonly #clock: Clock;
  readonly #open = new Map<Pace, string>();
  /** A node that never sent a paced result has no ticks: the property belongs to the user. */
  #seen = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(id: string): Pace {
    this.#seen = true;
    const [oldest] = this.#open.keys();
    if (oldest && this.#open.size >= MOST_OPEN) {
      this.close(oldest);
      oldest.end(abandoned(`${MOST_OPEN} newer results wait for their next part`));
    }
    const pace = new Pace(this.#clock, LONGEST_WAIT_MS, () =>
      abandoned(`no message with msg.tick asked for the next part for ${LONGEST_WAIT_MS / 60_000} minutes`),
    );
    this.#open.set(pace, id);
    return pace;
  }

  close(pace: Pace): void {
    this.#open.delete(pace);
  }

  /** True when the message only asks for the next part. A late tick of a finished result is no error. */
  tick(msg: Message): boolean {
    const parts = msg.parts as { id?: unknown } | null | undefined;
    const asked = typeof parts?.id === 'string' ? parts.id : undefined;
    if (!this.#seen && asked === undefined) return false;
    const id = asked ?? [...this.#open.values()].at(-1);
    for (const [pace, one] of this.#open) if (one === id) pace.tick();
    return true;
  }

  end(reason: Failure): void {
    for (const pace of [...this.#open.keys()]) pace.end(reason);
    this.#open.clear();
  }
}

function abandoned(why: string): Failure {
  return new Failure('rejected', 'RESULT_ABANDONED', `The result was closed before its last part: ${why}.`);
}
