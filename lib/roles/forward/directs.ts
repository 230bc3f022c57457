/** Messages on their way to the peer without having been stored, and how those ended whose record is in the store. */
import type { Verdict } from './drain';
import type { Job } from './job';

export interface Direct {
  readonly job: Job;
  /** Set when another message of its line went to the store: this one's record then lies before it. */
  record: Promise<boolean> | undefined;
}

export class Directs {
  /** At most one of a line. */
  readonly #lines = new Map<string, Direct>();
  readonly #ended = new Map<string, Verdict>();

  begin(job: Job): Direct {
    const direct: Direct = { job, record: undefined };
    if (job.line !== undefined) this.#lines.set(job.line, direct);
    return direct;
  }

  of(line: string | undefined): Direct | undefined {
    return line === undefined ? undefined : this.#lines.get(line);
  }

  /** How it ended matters later only if its record is in the store. */
  end(direct: Direct, verdict: Verdict): void {
    const { job, record } = direct;
    if (job.line === undefined) return;
    this.#lines.delete(job.line);
    if (!record) return;
    const name = nameOf(job);
    this.#ended.set(name, verdict);
    void record.then((recorded) => recorded || this.#ended.delete(name));
  }

  /** How the message of this record ended on the direct way; told once. */
  take(job: Job): Verdict | undefined {
    if (this.#ended.size === 0) return undefined;
    const name = nameOf(job);
    const verdict = this.#ended.get(name);
    this.#ended.delete(name);
    return verdict;
  }

  /** The store is empty: of what is still known here, the records were dropped or purged. */
  forget(): void {
    if (this.#lines.size === 0) this.#ended.clear();
  }
}

/** Flows choose ids, and two messages may have the same: the line and the time tell them apart. */
function nameOf({ line, id, time }: Job): string {
  return JSON.stringify([line, id, time]);
}
