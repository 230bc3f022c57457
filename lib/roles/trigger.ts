/** The life of a trigger node: polls on time or listens, and sends what it finds. */
import { toFailure, type Failure, type Message } from '../core';
import type { Meter } from '../observe/meter';
import type { Fields, ValuesOf } from '../spec';
import type { Connection } from './connection';
import { coordinatorOf } from './coordinator';
import type { TriggerContext, TriggerDeclaration } from './declare';
import { InFlight } from './in-flight';
import { Listening } from './listening';
import { NodeStatus } from './node-status';
import { recordFailure } from './outcome';
import { Polling } from './polling';
import type { Host, Runtime } from './runtime';
import { ownSettings, type Settings } from './settings';
import { StatusLine } from './status';
import { within } from './within';

const END_MS = 5000;

export class TriggerNode {
  readonly #declaration: TriggerDeclaration;
  readonly #host: Host;
  readonly #runtime: Runtime;
  readonly #connection: Connection | undefined;
  readonly #inFlight: InFlight;
  readonly #meter: Meter;
  readonly #context: TriggerContext<Fields, unknown>;
  readonly #status: NodeStatus | undefined;
  readonly #line: StatusLine;
  /** Without a connection the node itself says what it is like. */
  #broken = false;
  #text = 'running';
  readonly #ends: (() => void | Promise<void>)[] = [];

  constructor(
    declaration: TriggerDeclaration,
    settings: Settings,
    connection: Connection | undefined,
    host: Host,
    runtime: Runtime,
    coordinator?: Connection,
  ) {
    this.#declaration = declaration;
    this.#host = host;
    this.#runtime = runtime;
    this.#connection = connection;
    this.#inFlight = new InFlight(runtime.clock);
    this.#line = new StatusLine(
      runtime.clock,
      (status) => host.show(status),
      (text) => runtime.redactor.redact(text),
    );
    const config: ValuesOf<Fields> = ownSettings(declaration.fields, settings);
    const prepared: unknown = declaration.prepare?.(config);
    this.#meter = runtime.metrics.node(host.id, host.name, declaration.type);
    this.#context = {
      config,
      session: undefined,
      prepared,
      scope: this.#inFlight.scope,
      log: host.log,
      clock: runtime.clock,
      random: runtime.random,
      store: runtime.store(host.id, false),
      queues: runtime.queues,
      board: runtime.board,
      source: host.source,
      coordinator: coordinator && coordinatorOf(coordinator, this.#inFlight.scope),
      emit: (msg, output = 0) => this.#emit(msg, output),
      note: (text, level) => this.#note(text, level),
    };
    if (coordinator) this.#ends.push(coordinator.attach(this, () => {}));
    if (connection) {
      this.#status = new NodeStatus(host, runtime, connection);
      this.#ends.push(connection.attach(this, this.#status.refresh));
      this.#status.refresh();
    }
    this.#begin(settings);
  }

  #begin(settings: Settings): void {
    const { poll } = this.#declaration;
    const report = {
      failed: (failure: Failure) => this.#failed(failure),
      recovered: () => this.#recovered(),
    };
    if (poll && this.#connection) {
      const polling = new Polling(this.#declaration, poll, settings, this.#connection, {
        context: this.#context,
        meter: this.#meter,
        runtime: this.#runtime,
        inFlight: this.#inFlight,
        ...report,
      });
      this.#ends.push(() => polling.stop());
      polling.start();
    }
    if (this.#declaration.start) {
      const listening = new Listening(this.#declaration, this.#context, this.#connection, report);
      this.#ends.push(() => listening.stop());
      listening.start();
    }
  }

  /** A message at the trigger's own input: run now, pause, resume. */
  async input(msg: Message): Promise<void> {
    const { input } = this.#declaration;
    if (!input) return;
    this.#inFlight.enter();
    try {
      const session = this.#connection?.current;
      await input.call(this.#declaration, msg, { ...this.#context, session });
    } catch (error) {
      const failure = this.#name(error);
      throw recordFailure(msg, failure, this.#runtime.redactor);
    } finally {
      this.#inFlight.leave();
    }
  }

  #emit(msg: Message, output: number): void {
    if (this.#inFlight.scope.aborted) return;
    this.#meter.in();
    this.#meter.out();
    try {
      this.#host.send(msg, output);
    } catch (error) {
      // Sources emit from timers and sockets: nothing may pass through.
      this.#failed(toFailure(error));
    }
  }

  #note(text: string, level: 'good' | 'warn' = 'good'): void {
    if (this.#status) this.#status.note(text, level);
    else {
      this.#text = text;
      this.#line.set(level, text);
    }
  }

  #failed(failure: Failure): void {
    this.#meter.in();
    this.#meter.failed();
    if (this.#status) this.#status.failed(failure);
    else {
      this.#broken = true;
      this.#line.set('bad', failure.message);
    }
    this.#host.fail(failure);
  }

  #recovered(): void {
    this.#status?.succeeded();
    if (this.#broken) this.#line.set('good', this.#text);
    this.#broken = false;
  }

  #name(error: unknown): Failure {
    return this.#connection ? this.#connection.nameError(error) : toFailure(error);
  }

  /** An end that fails or hangs must hold up neither the others nor a redeploy. */
  async #finish(end: () => void | Promise<void>): Promise<void> {
    try {
      await within(this.#runtime.clock, END_MS, Promise.resolve(end()));
    } catch (error) {
      this.#host.log.warn(`The source could not be stopped cleanly: ${this.#name(error).message}`);
    }
  }

  async close(): Promise<void> {
    await this.#inFlight.close(false);
    for (const end of this.#ends.reverse()) await this.#finish(end);
    this.#status?.close();
    this.#line.close();
    this.#runtime.metrics.remove(this.#host.id);
  }
}
