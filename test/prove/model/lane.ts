/** One sequence on its queue: what it asks the store, and what the judge says to the answers. */
import { isFailure } from '../../../lib/core';
import type { Attempt, DeadLetters, Queue, QueueOptions } from '../../../lib/queue';
import { bodyOf, type Action, type Pick } from './actions';
import { answerOf, refusalOf, told, toldDead, toldShelf, toldStats, type Answer } from './answers';
import type { Given } from './apply';
import type { Bed } from './bed';
import { Judge, Violation } from './judge';

/** What became of an action: its answer, or nobody knows, or it surely did not reach the store. */
export type Became = { readonly answer: Answer } | 'unknown' | 'untouched';

const ANSWERS = new Set(['QUEUE_FULL']);

export class Lane {
  readonly judge: Judge;
  actions = 0;
  /** Why it ended before its time. */
  violation: string | undefined;
  readonly #tokens: string[] = [];
  #letters: readonly number[] = [];
  #queue!: Queue;

  constructor(
    readonly name: string,
    readonly options: QueueOptions,
    readonly bed: Bed,
  ) {
    this.judge = new Judge(options);
  }

  async open(): Promise<void> {
    this.#queue = await this.bed.store.open(this.name, this.options);
  }

  /** Does something unless a violation ended the sequence; a violation ends it. */
  async guard(work: () => Promise<unknown>): Promise<void> {
    if (this.violation !== undefined) return;
    try {
      await work();
    } catch (error) {
      this.violation =
        error instanceof Violation ? error.message : String(error instanceof Error ? error.stack : error);
    }
  }

  /** What must be known before the action; undefined when there is nothing that it could be done to. */
  async prepare(action: Action, step: number): Promise<Given | undefined> {
    const given = { hold: -1, holds: this.#tokens.length, letter: -1, attempt: `failed in step ${step}` };
    if ('of' in action) {
      const hold = this.#choose(action.of);
      return hold === undefined ? undefined : { ...given, hold };
    }
    if (!needsLetters(action)) return given;
    await this.list();
    if (action.do === 'replay') return given;
    const letter = Math.floor(action.at * this.#letters.length);
    return this.#letters.length === 0 ? undefined : { ...given, letter };
  }

  async fire(action: Action, given: Given): Promise<Became> {
    this.actions += 1;
    try {
      return { answer: answerOf(await this.#ask(action, given)) };
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (ANSWERS.has(error.code)) return { answer: refusalOf(error) };
      return error.reached ? 'unknown' : 'untouched';
    }
  }

  /** In fair weather every action has an answer. */
  async act(action: Action, step: number): Promise<void> {
    const given = await this.prepare(action, step);
    if (!given) return;
    const became = await this.fire(action, given);
    if (typeof became === 'string') throw new Violation(`${action.do} failed although nothing was wrong`);
    this.judge.acted(action, given, became.answer);
  }

  async look(): Promise<void> {
    const [stats, shelf] = await Promise.all([
      this.#queue.stats(),
      this.#queue.inspect({ after: 0, limit: 1000 }),
    ]);
    this.judge.looked(toldStats(stats), toldShelf(shelf));
  }

  async list(): Promise<void> {
    const found = await this.#dead.list({ queue: this.name }, { after: 0, limit: 1000 });
    const details = await Promise.all(found.map(({ number }) => this.#dead.get(number)));
    this.#letters = found.map(({ number }) => number);
    this.judge.listed(toldDead(details.filter((one) => one !== undefined)));
  }

  get #dead(): DeadLetters {
    if (!this.bed.store.dead) throw new Error('The store shows no dead letters.');
    return this.bed.store.dead;
  }

  #choose({ at, live }: Pick): number | undefined {
    const holding = this.judge.likely.records
      .filter(({ state }) => state === 'leased')
      .map(({ hold }) => hold);
    const among = live && holding.length > 0 ? holding : [...this.#tokens.keys()];
    return among[Math.floor(at * among.length)];
  }

  async #ask(action: Action, given: Given): Promise<unknown> {
    const queue = this.#queue;
    const token = this.#tokens[given.hold] ?? '';
    const attempt: Attempt = {
      at: given.holds,
      kind: 'transient',
      code: 'PEER_ERROR',
      message: given.attempt,
    };
    switch (action.do) {
      case 'put':
        return queue.put(entryOf(action));
      case 'lease': {
        const leased = await queue.lease(action);
        for (const one of leased) this.#tokens.push(one.token);
        return told(leased);
      }
      case 'reject':
        return queue.reject(token, action.attempt ? attempt : undefined, action.delayMs);
      case 'extend':
        return queue.extend(token, action.visibilityMs);
      case 'deadLetter':
        return queue.deadLetter(token, attempt);
      case 'acknowledge':
        return queue.acknowledge(token);
      case 'release':
        return queue.release(token);
      case 'replay':
        return queue.replay({});
      case 'purge':
        return queue.purge();
      case 'replayOne':
        return this.#replayOne(given.letter, action.edited);
      case 'purgeDead':
        return this.#dead.purge({ numbers: [this.#letters[given.letter] ?? 0] });
      case 'reopen':
        await queue.close();
        return this.open();
    }
  }

  async #replayOne(at: number, edited: boolean): Promise<number> {
    const number = this.#letters[at] ?? 0;
    const letter = await this.#dead.get(number);
    const body = edited && letter ? bodyOf(letter.id, letter.bytes, true) : undefined;
    return this.#dead.replay({ numbers: [number] }, body);
  }
}

function needsLetters(action: Action): action is Action & { do: 'replay' | 'replayOne' | 'purgeDead' } {
  return action.do === 'replay' || action.do === 'replayOne' || action.do === 'purgeDead';
}

function entryOf({ id, key, bytes, failed }: Action & { readonly do: 'put' }): Parameters<Queue['put']>[0] {
  const history = Array.from({ length: failed }, (_, i): Attempt => ({
    at: i,
    kind: 'transient',
    code: 'PEER_ERROR',
    message: `before ${i}`,
  }));
  return { id, key, time: 5, body: bodyOf(id, bytes), ...(failed > 0 && { history }) };
}
