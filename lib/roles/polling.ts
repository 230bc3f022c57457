/** Polls on a fixed grid without drift, never twice at once, and reports a failure once, not every time. */
import { isFailure, type Call, type Failure, type Message, type Timer } from '../core';
import { createProvenance } from '../observe/provenance';
import type { Meter } from '../observe/meter';
import type { Fields } from '../spec';
import { keySource, retryOptions } from './call-settings';
import type { Connection } from './connection';
import type { TriggerContext, TriggerDeclaration } from './declare';
import type { CallSettings } from './framework-fields';
import type { InFlight } from './in-flight';
import type { Runtime } from './runtime';
import type { Settings } from './settings';

interface Deps {
  readonly context: TriggerContext<Fields, unknown>;
  readonly meter: Meter;
  readonly runtime: Runtime;
  readonly inFlight: InFlight;
  readonly failed: (failure: Failure) => void;
  readonly recovered: () => void;
}
type Poll = NonNullable<TriggerDeclaration['poll']>;
type Found = Message | readonly Message[] | undefined;

export class Polling {
  readonly #declaration: TriggerDeclaration;
  readonly #poll: Poll;
  readonly #settings: CallSettings;
  readonly #connection: Connection;
  readonly #deps: Deps;
  readonly #everyMs: number;
  readonly #key: (msg: Message) => string;
  #timer: Timer | undefined;
  #due = 0;
  #running = false;
  #startedAt = 0;
  #failures = 0;
  #code = '';
  #late = 0;

  constructor(
    declaration: TriggerDeclaration,
    poll: Poll,
    settings: Settings,
    connection: Connection,
    deps: Deps,
  ) {
    this.#declaration = declaration;
    this.#poll = poll;
    this.#settings = settings as unknown as CallSettings;
    this.#connection = connection;
    this.#deps = deps;
    this.#everyMs = Math.max(1, poll.everyMs(deps.context.config));
    this.#key = keySource(deps.runtime.clock, deps.runtime.random, connection.id);
  }

  start(): void {
    this.#due = this.#deps.runtime.clock.mono();
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    const { clock } = this.#deps.runtime;
    this.#timer = clock.timer(this.#due - clock.mono(), () => this.#tick());
  }

  #tick(): void {
    const now = this.#deps.runtime.clock.mono();
    // Slots that passed while the process was busy are not caught up: a poll reads the present.
    // A timer may fire a fraction of a millisecond early; that is still its own slot.
    const passed = Math.max(1, Math.floor((now - this.#due) / this.#everyMs) + 1);
    this.#due += passed * this.#everyMs;
    this.#arm();
    if (this.#running) this.#overrun(now);
    else void this.#once();
  }

  #overrun(now: number): void {
    // After a busy moment of the whole process two slots can follow each other closely; no reading is late then.
    if (now - this.#startedAt < this.#everyMs) return;
    this.#late += 1;
    if (this.#late === 1) {
      this.#deps.context.log.warn(
        `Reading takes longer than the poll interval of ${this.#everyMs} ms; polls are left out. Poll less often.`,
      );
    }
  }

  async #once(): Promise<void> {
    const { inFlight, meter, runtime } = this.#deps;
    this.#running = true;
    this.#startedAt = runtime.clock.mono();
    inFlight.enter();
    const startedAt = runtime.clock.now();
    let attempts = 1;
    try {
      const found = await this.#connection.run<Found>({
        effect: 'safe',
        timeoutMs: this.#settings.timeout,
        retry: retryOptions(this.#settings),
        key: this.#key({}),
        scope: inFlight.scope,
        listener: meter,
        call: (session: unknown, call: Call) => {
          attempts = call.attempt;
          return this.#poll.read({ ...this.#deps.context, session, call });
        },
      });
      this.#succeeded();
      for (const msg of asList(found)) this.#send(msg, startedAt, attempts);
    } catch (error) {
      this.#failed(isFailure(error) ? error : this.#connection.nameError(error));
    } finally {
      this.#running = false;
      inFlight.leave();
    }
  }

  #send(msg: Message, startedAt: number, attempts: number): void {
    const { context, runtime } = this.#deps;
    if (this.#settings.provenance) {
      msg.provenance = createProvenance({
        connector: this.#connection.declaration.type,
        connectorVersion: this.#connection.declaration.version,
        connection: this.#connection.name,
        operation: this.#poll.operation(context.config),
        query: context.config,
        payload: msg.payload,
        startedAt,
        finishedAt: runtime.clock.now(),
        attempts,
        simulated: this.#connection.simulated,
      });
    }
    context.emit(msg);
  }

  #succeeded(): void {
    if (this.#failures > 0) {
      this.#deps.context.log.info(`Reading works again after ${this.#failures} polls that failed.`);
      this.#failures = 0;
      this.#code = '';
    }
    const took = this.#deps.runtime.clock.mono() - this.#startedAt;
    if (took < this.#everyMs) this.#late = 0;
    this.#deps.recovered();
  }

  #failed(failure: Failure): void {
    if (failure.kind === 'cancelled') return;
    this.#failures += 1;
    if (failure.code === this.#code) return;
    this.#code = failure.code;
    this.#deps.failed(failure);
  }
}

function asList(found: Found): readonly Message[] {
  if (found === undefined) return [];
  return Array.isArray(found) ? (found as readonly Message[]) : [found as Message];
}
