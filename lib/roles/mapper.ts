/** The life of a mapper node: a message in, none, one or several out, or one failure. */
import { toFailure, type Message } from '../core';
import type { Meter } from '../observe/meter';
import { Routed, type Mapped, type MapperDeclaration, type Mapping } from './declare';
import { recordFailure } from './outcome';
import type { Host, Runtime } from './runtime';
import { ownSettings, type Settings } from './settings';
import { StatusLine } from './status';

export class MapperNode {
  readonly #host: Host;
  readonly #runtime: Runtime;
  readonly #mapping: Mapping;
  readonly #meter: Meter;
  readonly #line: StatusLine;
  #failing = false;

  constructor(declaration: MapperDeclaration, settings: Settings, host: Host, runtime: Runtime) {
    this.#host = host;
    this.#runtime = runtime;
    const config = ownSettings(declaration.fields, settings);
    this.#mapping = declaration.prepare({
      config,
      id: host.id,
      log: host.log,
      clock: runtime.clock,
      queues: runtime.queues,
      source: host.source,
      evaluate: (typed, msg) => host.evaluate(typed, msg),
    });
    this.#meter = runtime.metrics.node(host.id, host.name, declaration.type);
    this.#line = new StatusLine(
      runtime.clock,
      (status) => host.show(status),
      (text) => runtime.redactor.redact(text),
    );
  }

  async input(msg: Message, send: (msg: Message) => void): Promise<void> {
    this.#meter.in();
    try {
      const mapped = this.#mapping.map(msg);
      const result = mapped instanceof Promise ? await mapped : mapped;
      for (const one of listOf(result)) {
        if (one instanceof Routed) this.#host.send(one.msg, one.output);
        else send(one);
      }
      this.#meter.out();
      if (this.#failing) this.#recovered();
    } catch (error) {
      const failure = toFailure(error);
      this.#meter.failed();
      this.#failing = true;
      this.#line.set('warn', failure.message);
      throw recordFailure(msg, failure, this.#runtime.redactor);
    }
  }

  #recovered(): void {
    this.#failing = false;
    this.#line.set('good', 'ok');
  }

  async close(): Promise<void> {
    this.#line.close();
    this.#runtime.metrics.remove(this.#host.id);
    await this.#mapping.close?.();
  }
}

function listOf(mapped: Mapped): readonly (Message | Routed)[] {
  if (mapped === undefined) return [];
  return Array.isArray(mapped) ? (mapped as readonly (Message | Routed)[]) : [mapped as Message | Routed];
}
