/** One connection to RabbitMQ: its end rejects everything that waits, and a request without an answer ends it. */
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import { Failure, type Clock } from '../../core';
import { classifyRabbit } from './errors';

const CLOSE_LIMIT_MS = 1_500;
const BLOCKED =
  'RabbitMQ takes no messages now because its memory or disk is short. Free some there; it goes on by itself.';

export interface SessionOptions {
  readonly model: ChannelModel;
  readonly clock: Clock;
  readonly requestMs: number;
  readonly lost: (failure: Failure) => void;
  /** Destroys the socket. */
  readonly cut: () => void;
}

export class Session {
  readonly clock: Clock;
  #ended: Failure | undefined;
  #trouble: string | undefined;
  readonly #waiting = new Set<(failure: Failure) => void>();
  readonly #troubled = new Set<(sentence: string | undefined) => void>();

  constructor(private readonly options: SessionOptions) {
    this.clock = options.clock;
    const { model } = options;
    model.on('error', (error) => this.fail(classifyRabbit(error)));
    model.on('close', (error?: Error) => this.fail(classifyRabbit(error ?? new Error('Unexpected close'))));
    model.on('blocked', () => this.#tell(BLOCKED));
    model.on('unblocked', () => this.#tell(undefined));
  }

  get ended(): Failure | undefined {
    return this.#ended;
  }

  /** The sentence that `put` fails with; undefined while the broker takes messages. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Returns the function that removes the listener. */
  onTrouble(fn: (sentence: string | undefined) => void): () => void {
    this.#troubled.add(fn);
    return () => void this.#troubled.delete(fn);
  }

  /** A channel whose end is the end of the session: nothing on it is ever refused in the ordinary course. */
  async channel(): Promise<Channel> {
    return this.#guarded(await this.run(() => this.options.model.createChannel()));
  }

  async confirmChannel(): Promise<ConfirmChannel> {
    return this.#guarded(await this.run(() => this.options.model.createConfirmChannel()));
  }

  /** A channel for requests that the broker may refuse, which closes it. `work` gets the library's own errors. */
  async aside<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await this.run(() => this.options.model.createChannel());
    let open = true;
    channel.on('error', () => {});
    channel.on('close', () => (open = false));
    try {
      return await work(channel);
    } finally {
      if (open && !this.#ended) await this.run(() => channel.close()).catch(() => {});
    }
  }

  /** Waits for an answer of the broker: rejects when the session ends, and ends it when none comes. */
  run<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise<T>((resolve, reject) => {
      const timer = this.clock.timer(this.options.requestMs, () => this.fail(silent(this.options.requestMs)));
      this.#waiting.add(reject);
      const settled = (): void => {
        timer.cancel();
        this.#waiting.delete(reject);
      };
      attempt(ask).then(
        (value) => {
          settled();
          resolve(value);
        },
        (error: unknown) => {
          settled();
          reject(this.#ended ?? error);
        },
      );
    });
  }

  /** The end that nobody asked for. */
  fail(failure: Failure): void {
    if (this.#ended) return;
    this.#end(failure);
    this.options.cut();
    this.options.lost(failure);
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#end(
      new Failure('disconnected', 'NOT_CONNECTED', 'The connection to RabbitMQ was closed.', {
        reached: false,
      }),
    );
    await new Promise<void>((resolve) => {
      const limit = this.clock.timer(CLOSE_LIMIT_MS, resolve);
      const done = (): void => {
        limit.cancel();
        resolve();
      };
      attempt(() => this.options.model.close()).then(done, done);
    });
    this.options.cut();
  }

  #end(failure: Failure): void {
    this.#ended = failure;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const reject of waiting) reject(failure);
  }

  #guarded<T extends Channel>(channel: T): T {
    channel.on('error', (error) => this.fail(classifyRabbit(error)));
    return channel;
  }

  #tell(sentence: string | undefined): void {
    this.#trouble = sentence;
    for (const fn of [...this.#troubled]) fn(sentence);
  }
}

/** The library throws some errors at once. */
async function attempt<T>(ask: () => Promise<T>): Promise<T> {
  return ask();
}

function silent(ms: number): Failure {
  const sentence = `RabbitMQ did not answer within ${ms / 1000} s; the connection is given up. Check its load and the network.`;
  return new Failure('disconnected', 'CONNECTION_TIMEOUT', sentence);
}
