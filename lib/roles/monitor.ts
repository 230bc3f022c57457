/** The life of a monitor node: it watches the health of all connections. */
import { Scope } from '../core';
import type { HealthBoard } from '../observe/types';
import type { MonitorDeclaration } from './declare';
import type { Host, Runtime } from './runtime';
import { ownSettings, type Settings } from './settings';
import { StatusLine } from './status';

export class MonitorNode {
  readonly #scope = new Scope();
  readonly #line: StatusLine;
  readonly #stop: () => void;

  constructor(declaration: MonitorDeclaration, settings: Settings, host: Host, runtime: Runtime) {
    this.#line = new StatusLine(
      runtime.clock,
      (status) => host.show(status),
      (text) => runtime.redactor.redact(text),
    );
    this.#stop = declaration.start({
      config: ownSettings(declaration.fields, settings),
      board: cleanBoard(runtime),
      clock: runtime.clock,
      scope: this.#scope,
      emit: (msg, output = 0) => {
        if (!this.#scope.aborted) host.send(msg, output);
      },
      note: (text, level) => this.#line.set(level, text),
    });
  }

  close(): void {
    this.#scope.abort();
    this.#stop();
    this.#line.close();
  }
}

/** Errors of connections become messages here, so they lose their secrets first. */
function cleanBoard({ board, redactor }: Runtime): HealthBoard {
  const clean = <T>(value: T): T => redactor.redactDeep(value) as T;
  return {
    reports: () => clean(board.reports()),
    onChange: (fn) => board.onChange((report) => fn(clean(report))),
  };
}
