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
  #noteLevel: 'good' | 'warn' = 'good';
  #stored = 0;
  #trouble: string | undefined;

  constructor(host: Host, runtime: Runtime, connection: Connection) {
    this.#line = new StatusLine(
      runtime.clock,
      (status) => host.show(status),
      (text) => runtime.redactor.redact(text),
    );
    this.#connection = connection;
  }

  readonly refresh = (): void => {
    const link = this.#connection.status();
    const stored = this.#stored > 0 ? `, ${this.#stored} stored` : '';
    if (link.level === 'bad' || link.level === 'busy' || link.level === 'off') {
      // Its refusal ends with the state of the link that it belongs to.
      if (this.#failure?.kind === 'auth' || this.#failure?.kind === 'config') this.#failure = undefined;
      this.#line.set(link.level, link.text + stored);
    } else if (this.#failure ?? this.#trouble) {
      // The count comes first: a long sentence is cut.
      const count = this.#stored > 0 ? `${this.#stored} stored: ` : '';
      this.#line.set('warn', count + (this.#failure?.message ?? this.#trouble ?? ''));
    } else {
      const level = this.#noteLevel === 'warn' ? 'warn' : link.level;
      this.#line.set(level, (this.#note ? `${link.text}: ${this.#note}` : link.text) + stored);
    }
  };

  /** Messages that wait in the store for the peer. */
  stored(count: number): void {
    if (count === this.#stored) return;
    this.#stored = count;
    this.refresh();
  }

  /** What keeps the store from working; undefined: it works. */
  troubled(sentence: string | undefined): void {
    if (sentence === this.#trouble) return;
    this.#trouble = sentence;
    this.refresh();
  }

  succeeded(): void {
    if (!this.#failure) return;
    this.#failure = undefined;
    this.refresh();
  }

  failed(failure: Failure): void {
    if (failure.kind === 'cancelled') return;
    // Whether the peer can be reached is the link's to say: this node's word would outlive the outage.
    const aboutLink = failure.kind === 'disconnected' || failure.code === 'CIRCUIT_OPEN';
    if (!aboutLink) this.#failure = failure;
    this.refresh();
  }

  readonly note = (text: string, level: 'good' | 'warn' = 'good'): void => {
    if (text === this.#note && level === this.#noteLevel) return;
    this.#note = text;
    this.#noteLevel = level;
    this.refresh();
  };

  close(): void {
    this.#line.close();
  }
}
