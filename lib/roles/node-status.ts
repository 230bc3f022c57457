import type { Failure } from '../core';
import type { Connection } from './connection';
import type { Host, Runtime } from './runtime';
import { StatusLine } from './status';

/** Joins the state of the link with the last outcome of this node. The link has the first word. */
export class NodeStatus {
  readonly #line: StatusLine;
  readonly #connection: Connection;
  #failure: Failure | undefined;
  #note = '';

  constructor(host: Host, runtime: Runtime, connection: Connection) {
    this.#line = new StatusLine(runtime.clock, (status) =>
      host.show({ ...status, text: runtime.redactor.redact(status.text) }),
    );
    this.#connection = connection;
  }

  readonly refresh = (): void => {
    const link = this.#connection.status();
    if (link.level === 'bad' || link.level === 'busy' || link.level === 'off') {
      this.#line.set(link.level, link.text);
    } else if (this.#failure) {
      this.#line.set('warn', this.#failure.message);
    } else {
      this.#line.set(link.level, this.#note ? `${link.text}: ${this.#note}` : link.text);
    }
  };

  succeeded(): void {
    if (!this.#failure) return;
    this.#failure = undefined;
    this.refresh();
  }

  failed(failure: Failure): void {
    if (failure.kind === 'cancelled') return;
    this.#failure = failure;
    this.refresh();
  }

  note(text: string): void {
    this.#note = text;
    this.refresh();
  }

  close(): void {
    this.#line.close();
  }
}
