/** A queue on a broker, and the sequences that use it one after the other. */
import { isFailure } from '../../../lib/core';
import type { Attempt, DeadLetter, Queue, QueueOptions, QueueStats } from '../../../lib/queue';
import { bodyOf, textOf, type Action, type Pick } from './actions';
import { told, historyOf } from './answers';
import { Violation } from './judge';
import type { SharedBed } from './shared-bed';
import { SharedJudge, type Seen, type Span } from './shared-judge';

export interface Fired {
  readonly action: Action;
  readonly step: number;
  readonly hold: number;
  readonly holds: number;
  readonly letter: DeadLetter | undefined;
  readonly span: Span;
  /** Undefined: nobody knows. */
  readonly answer: unknown;
}

export class SharedLane {
  judge: SharedJudge;
  actions = 0;
  /** What was asked and answered in this sequence. */
  trace: string[] = [];
  violation: string | undefined;
  #queue!: Queue;
  #tokens: string[] = [];
  #base: QueueStats | undefined;

  constructor(
    readonly name: string,
    readonly options: QueueOptions,
    readonly bed: SharedBed,
  ) {
    this.judge = new SharedJudge(options, bed.broker.manners);
  }

  /** Before each sequence; the queue is empty then. */
  async begin(): Promise<void> {
    await this.open();
    this.judge = new SharedJudge(this.options, this.bed.broker.manners);
    this.#tokens = [];
    this.trace = [];
    this.#base = await this.#queue.stats();
  }

  async open(): Promise<void> {
    this.#queue = await this.bed.open(this.name, this.options);
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  async guard(work: () => Promise<unknown>): Promise<void> {
    if (this.violation !== undefined) return;
    try {
      await work();
    } catch (error) {
      this.violation =
        error instanceof Violation ? error.message : String(error instanceof Error ? error.stack : error);
    }
  }

  pass(): void {
    this.judge.pass(this.bed.clock.mono(), this.bed.delayTime());
  }

  /** Undefined: there was nothing to do it to. `inCrash`: it may fail. */
  async fire(action: Action, step: number, inCrash: boolean, at = -1): Promise<Fired | undefined> {
    this.pass();
    const hold = at >= 0 || !('of' in action) ? at : this.#choose(action.of);
    if (hold === undefined) return undefined;
    const letter =
      action.do === 'replayOne' || action.do === 'purgeDead'
        ? await this.#letter(action.at, inCrash)
        : undefined;
    if (letter === false) return undefined;
    this.actions += 1;
    const holds = this.#tokens.length;
    const began = { began: this.bed.clock.mono(), delayBegan: this.bed.delayTime() };
    const answer = await this.#answer(() => this.#ask(action, hold, step, letter), action, inCrash);
    this.trace.push(
      `${textOf({ action })}: ${answer === UNTOUCHED ? 'not sent' : (JSON.stringify(answer) ?? 'unknown')}`,
    );
    const span = { ...began, ended: this.bed.clock.mono(), delayEnded: this.bed.delayTime() };
    return answer === UNTOUCHED ? undefined : { action, step, hold, holds, letter, span, answer };
  }

  judged({ action, step, hold, holds, letter, span, answer }: Fired): void {
    const { judge } = this;
    switch (action.do) {
      case 'put':
        return judge.put(action, answer as string | undefined);
      case 'lease':
        return judge.lease(action, answer as readonly Seen[] | undefined, span, holds);
      case 'replay':
        return judge.replayed(answer as number | undefined);
      case 'replayOne':
        return judge.replayed(answer as number | undefined, [letter?.id ?? '']);
      case 'purgeDead':
        return judge.purgedDead(letter?.id ?? '', answer !== undefined);
      case 'purge':
        return judge.purged(answer as number | undefined);
      case 'reopen':
        return judge.closed();
      default:
        return judge.settle(action, hold, attemptOf(step).message, answer as boolean | undefined, span);
    }
  }

  async act(action: Action, step: number): Promise<void> {
    const fired = await this.fire(action, step, false);
    if (fired) this.judged(fired);
  }

  async look(): Promise<void> {
    const { there, dead } = await this.counts();
    this.pass();
    // RabbitMQ makes dead letters in its own time.
    if (!this.bed.store.dead && this.options.maxDeliveries > 0) return;
    this.judge.counts(there, dead);
  }

  async counts(): Promise<{ readonly there: number; readonly dead: number }> {
    const { waiting, leased, delayed, dead } = await this.#queue.stats();
    return { there: waiting + leased + delayed, dead };
  }

  /** Where the store shows them. */
  async list(): Promise<void> {
    const { dead } = this.bed.store;
    if (!dead) return;
    const letters = await dead.list({ queue: this.name }, { after: 0, limit: 1000 });
    const details = await Promise.all(letters.map(({ number }) => dead.get(number)));
    this.judge.listed(
      details
        .filter((one) => one !== undefined)
        .map(({ id, history }) => ({ id, history: historyOf(history) })),
    );
  }

  /** Only where no crash made the totals unsure. */
  async totals(): Promise<void> {
    if (this.judge.crashed || this.judge.partial || !this.#base) return;
    const { totals: now } = await this.#queue.stats();
    const was = this.#base.totals;
    const lost = (totals: QueueStats['totals']): number =>
      totals.acknowledged + totals.died + totals.dropped.full + totals.dropped.old + totals.dropped.purged;
    // A store may count anew with each opening.
    const since = now.put >= this.judge.counted.put + was.put ? was : undefined;
    if (!since) return;
    const put = now.put - since.put;
    if (put !== this.judge.counted.put || lost(now) - lost(since) !== put)
      throw new Violation(`put is ${put} of ${this.judge.counted.put}, ended ${lost(now) - lost(since)}`);
  }

  /** Leases everything and ends it. True: nothing was there. */
  async takeAll(step: number): Promise<boolean> {
    const first = this.#tokens.length;
    await this.act({ do: 'lease', max: 1000, perKey: 1000, visibilityMs: 600_000 }, step);
    const holds = [...this.#tokens.keys()].slice(first);
    for (const hold of holds)
      await this.#fireAt({ do: 'acknowledge', of: { at: 0, live: true } }, step, hold);
    return holds.length === 0;
  }

  async #fireAt(action: Action, step: number, hold: number): Promise<void> {
    const fired = await this.fire(action, step, false, hold);
    if (fired) this.judged(fired);
  }

  async #letter(at: number, inCrash: boolean): Promise<DeadLetter | false> {
    if (inCrash || !this.bed.store.dead) return false;
    const letters = await this.bed.store.dead.list({ queue: this.name }, { after: 0, limit: 1000 });
    return letters[Math.floor(at * letters.length)] ?? false;
  }

  #choose({ at, live }: Pick): number | undefined {
    const known = [...this.judge.known.values()];
    const holding = known
      .filter(({ state, hold }) => state === 'leased' && hold >= 0)
      .map(({ hold }) => hold);
    const among = live && holding.length > 0 ? holding : [...this.#tokens.keys()];
    return among[Math.floor(at * among.length)];
  }

  async #answer(ask: () => Promise<unknown>, action: Action, inCrash: boolean): Promise<unknown> {
    try {
      return await ask();
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (action.do === 'put' && error.code === 'QUEUE_FULL') return error.code;
      // A full queue takes back a part of the dead letters.
      if (action.do.startsWith('replay') && this.options.maxRecords > 0) return undefined;
      if (!inCrash) throw error;
      return error.reached ? undefined : UNTOUCHED;
    }
  }

  async #ask(action: Action, hold: number, step: number, letter: DeadLetter | undefined): Promise<unknown> {
    const queue = this.#queue;
    const token = this.#tokens[hold] ?? '';
    const number = letter?.number ?? 0;
    switch (action.do) {
      case 'put': {
        const history = Array.from({ length: action.failed }, (_, i) => ({
          ...attemptOf(i),
          message: `before ${i}`,
        }));
        const { id, key, bytes } = action;
        return queue.put({
          id,
          key,
          time: 5,
          body: bodyOf(id, bytes),
          ...(history.length > 0 && { history }),
        });
      }
      case 'lease': {
        const leased = await queue.lease(action);
        for (const one of leased) this.#tokens.push(one.token);
        return told(leased);
      }
      case 'reject':
        return queue.reject(token, action.attempt ? attemptOf(step) : undefined, action.delayMs);
      case 'extend':
        return queue.extend(token, action.visibilityMs);
      case 'deadLetter':
        return queue.deadLetter(token, attemptOf(step));
      case 'acknowledge':
        return queue.acknowledge(token);
      case 'release':
        return queue.release(token);
      case 'replay':
        return queue.replay({});
      case 'purge':
        return queue.purge();
      case 'replayOne':
        return this.bed.store.dead?.replay(
          { numbers: [number] },
          action.edited ? bodyOf(letter?.id ?? '', letter?.bytes ?? 0, true) : undefined,
        );
      case 'purgeDead':
        return this.bed.store.dead?.purge({ numbers: [number] });
      case 'reopen':
        await queue.close();
        return this.open();
    }
  }
}

const UNTOUCHED = Symbol('untouched');

function attemptOf(step: number): Attempt {
  return { at: step, kind: 'transient', code: 'PEER_ERROR', message: `failed in step ${step}` };
}
