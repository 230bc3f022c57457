/** Takes messages from a queue while there is room for them, and knows which are still out. */
import { toFailure, type Clock, type Log, type Message, type Random, type Timer } from '../../lib/core';
import type { Leased } from '../../lib/queue';
import { Gauge } from './gauge';
import { Holds } from './holds';
import { joined, restore } from './restore';
import { pauseAfter, type RetryPause } from './retry-pause';
import type { Holder, QueueSession } from './session';
import type { Note } from '../../lib/roles';
import type { Source } from '../../lib/queue';

export interface TakerOptions {
  readonly inFlight: number;
  readonly batch: number;
  readonly visibilityMs: number;
  readonly pollMs: number;
  readonly retry: RetryPause;
  readonly acknowledge: 'node' | 'sent';
}
export interface Services {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly source: Source;
  readonly emit: (msg: Message) => void;
  readonly note: Note;
  /** What else keeps it from taking. */
  readonly held: () => { readonly paused: boolean; readonly unhealthy: string | undefined };
}

/** So that one turn of the event loop stays short. */
const MOST_AT_ONCE = 500;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

export class Taker implements Holder {
  readonly #session: QueueSession;
  readonly #options: TakerOptions;
  readonly #services: Services;
  readonly #holds: Holds;
  readonly #gauge: Gauge;
  readonly #unlisten: () => void;
  #timer: Timer | undefined;
  #soon: NodeJS.Immediate | undefined;
  #taking: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #failures = 0;

  constructor(session: QueueSession, options: TakerOptions, services: Services) {
    this.#session = session;
    this.#options = options;
    this.#services = services;
    this.#holds = new Holds(services.clock, (tokens) => this.#expired(tokens));
    this.#gauge = new Gauge(session.queue, services.clock, services.note, () => ({
      inFlight: this.#holds.size,
      trouble: session.trouble,
      ...services.held(),
    }));
    this.#unlisten = session.queue.listen({
      ready: () => this.#wake(),
      died: () => this.#gauge.touch(),
      trouble: () => this.look(),
    });
    this.#poll();
    this.look();
  }

  /** Something that keeps it from taking may have changed. */
  look(): void {
    this.#gauge.show();
    this.#wake();
  }

  settled(token: string): void {
    this.#session.drop(token);
    if (this.#holds.remove(token)) this.#wake();
  }

  extended(token: string, visibilityMs: number): void {
    this.#holds.extend(token, visibilityMs);
  }

  pauseMs(token: string): number {
    return pauseAfter(this.#holds.deliveryOf(token), this.#options.retry, this.#services.random);
  }

  /** Gives back what is still out: those deliveries do not count. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unlisten();
    this.#timer?.cancel();
    if (this.#soon) clearImmediate(this.#soon);
    this.#gauge.close();
    await this.#taking;
    const tokens = this.#holds.tokens();
    this.#holds.clear();
    await this.#release(tokens);
  }

  /** Those that end together make room together: one lease for all of them. */
  #wake(): void {
    this.#gauge.touch();
    if (this.#taking) this.#again = true;
    else if (!this.#soon && !this.#stopped) this.#soon = setImmediate(() => this.#begin());
  }

  #begin(): void {
    this.#soon = undefined;
    if (this.#taking || this.#stopped) return;
    this.#taking = this.#take().finally(() => {
      this.#taking = undefined;
      if (this.#again) this.#wake();
    });
  }

  async #take(): Promise<void> {
    this.#again = false;
    try {
      for (let room = this.#room(); room > 0; room = this.#room()) {
        const leased = await this.#session.queue.lease({
          max: room,
          perKey: this.#options.batch > 1 || this.#options.acknowledge === 'sent' ? room : 1,
          visibilityMs: this.#options.visibilityMs,
        });
        this.#failures = 0;
        if (leased.length === 0) return;
        await this.#handOut(leased);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** How many may be leased now; nothing while a batch would stay small only because others are out. */
  #room(): number {
    const { paused, unhealthy } = this.#services.held();
    if (this.#stopped || paused || unhealthy !== undefined) return 0;
    const { inFlight, batch } = this.#options;
    if (batch > 1) return Math.max(inFlight, batch) - this.#holds.size >= batch ? batch : 0;
    return Math.min(MOST_AT_ONCE, inFlight - this.#holds.size);
  }

  async #handOut(leased: readonly Leased[]): Promise<void> {
    if (this.#stopped) return this.#release(leased.map((one) => one.token));
    const atMostOnce = this.#options.acknowledge === 'sent';
    const readable: [Leased, Message][] = [];
    for (const one of leased) {
      const msg = await this.#restore(one);
      if (msg) readable.push([one, msg]);
    }
    if (atMostOnce) return this.#sendFinally(readable);
    for (const [{ token, delivery }] of readable) {
      this.#holds.add(token, delivery, this.#options.visibilityMs);
      this.#session.hold(token, this);
    }
    this.#send(readable.map(([, msg]) => msg));
  }

  /** At most once: acknowledged first, so that nothing is ever sent twice. */
  async #sendFinally(readable: readonly [Leased, Message][]): Promise<void> {
    const { queue } = this.#session;
    const ended = await Promise.all(readable.map(([{ token }]) => queue.acknowledge(token)));
    const messages: Message[] = [];
    for (const [i, [{ entry }, msg]] of readable.entries()) {
      if (!ended[i]) continue;
      // Stopped meanwhile: nobody hears it any more, so it goes back, to the end.
      const back =
        this.#stopped &&
        (await queue.put(entry).then(
          () => true,
          () => false,
        ));
      if (!back) messages.push(msg);
    }
    this.#send(messages);
  }

  #send(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    if (this.#options.batch > 1) this.#services.emit(joined(messages));
    else for (const msg of messages) this.#services.emit(msg);
  }

  /** Bytes that are no message would come again and again: they become a dead letter with their reason. */
  async #restore(leased: Leased): Promise<Message | undefined> {
    const { queue } = this.#session;
    try {
      return restore(queue.name, leased, this.#options.acknowledge === 'node');
    } catch (error) {
      const { kind, code, message } = toFailure(error);
      const { clock, log, source } = this.#services;
      log.warn(`A message of the queue "${queue.name}" cannot be read: ${message}`);
      const attempt = { at: clock.now(), kind, code, message, source };
      // A store that is away now: its lease runs out, and it comes again.
      await queue.deadLetter(leased.token, attempt).catch(() => false);
      return undefined;
    }
  }

  #expired(tokens: readonly string[]): void {
    for (const token of tokens) this.#session.drop(token);
    this.#wake();
  }

  async #release(tokens: readonly string[]): Promise<void> {
    for (const token of tokens) this.#session.drop(token);
    // A session that ended gave them back already.
    await Promise.allSettled(tokens.map((token) => this.#session.queue.release(token)));
  }

  #failed(error: unknown): void {
    if (this.#stopped) return;
    const { message } = toFailure(error);
    if (this.#failures === 0) this.#services.log.warn(`No messages can be taken now: ${message}`);
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#again = false;
    this.#later(pause);
  }

  /** A broker that others use does not tell when a message came. */
  #poll(): void {
    if (this.#session.capabilities.shared) this.#later(this.#options.pollMs);
  }

  #later(ms: number): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    this.#timer = this.#services.clock.timer(ms, () => {
      this.#wake();
      this.#poll();
    });
  }
}
