/** The dead letters of the file store as their users see them. */
import type {
  Attempt,
  DeadFilter,
  DeadLetter,
  DeadLetterDetail,
  DeadLetters,
  DeadLimits,
  Entry,
  Source,
} from '../types';
import type { Courier } from './courier';
import { badEntry } from './failures';
import { FrameWriter } from './frame';
import { checkName } from './names';
import { attemptsText, checkEntry } from './queue';

const MOST_LISTED = 1000;

export class FileDeadLetters implements DeadLetters {
  readonly #courier: Courier;
  readonly #listeners = new Set<(letter: DeadLetter) => void>();

  constructor(courier: Courier) {
    this.#courier = courier;
  }

  async list(
    filter: DeadFilter,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadLetter[]> {
    const limit = Math.min(MOST_LISTED, Math.floor(page.limit));
    if (!(limit >= 1)) return [];
    return this.#courier.ask('deadList', { filter, after: page.after, limit });
  }

  async get(number: number): Promise<DeadLetterDetail | undefined> {
    return (await this.#courier.ask('deadGet', { number })) ?? undefined;
  }

  async add(
    queue: string,
    entry: Entry,
    owner: Source,
    history: readonly Attempt[],
    attempts: number,
  ): Promise<number> {
    checkName(queue);
    checkEntry(entry);
    const writer = new FrameWriter();
    writer.add(entry, '');
    const data = writer.take();
    const texts = { owner: JSON.stringify(owner), history: attemptsText(history) };
    return this.#courier.ask('deadAdd', { queue, data, ...texts, attempts });
  }

  async replay(filter: DeadFilter, body?: Uint8Array): Promise<number> {
    if (body && filter.numbers?.length !== 1) {
      throw badEntry('An edited message replaces exactly one dead letter; name its number.');
    }
    return this.#courier.ask('deadReplay', { filter, body });
  }

  async purge(filter: DeadFilter): Promise<number> {
    return this.#courier.ask('deadPurge', { filter });
  }

  async stats(): Promise<{ readonly records: number; readonly bytes: number; readonly dropped: number }> {
    return this.#courier.ask('deadStats', null);
  }

  async limit(limits: DeadLimits): Promise<void> {
    await this.#courier.ask('deadLimit', { limits });
  }

  onAdded(fn: (letter: DeadLetter) => void): () => void {
    const own = (letter: DeadLetter): void => fn(letter);
    this.#listeners.add(own);
    this.#courier.letters = true;
    return () => {
      this.#listeners.delete(own);
      this.#courier.letters = this.#listeners.size > 0;
    };
  }

  tell(letters: readonly DeadLetter[]): void {
    for (const letter of letters) for (const listener of this.#listeners) listener(letter);
  }
}
