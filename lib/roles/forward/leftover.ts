/**
 * What a node stored before its setting was changed to *Fail*: it is still delivered, in its order, and said. A node
 * that never stored anything does not open the store for this.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { toFailure, type Log } from '../../core';
import type { Runtime } from '../runtime';
import type { Forwarder } from './forwarder';
import { queueName } from './options';

export interface LeftoverDeps {
  readonly runtime: Runtime;
  /** Of the node. */
  readonly id: string;
  readonly log: Log;
  readonly create: () => Forwarder;
}

/** Of the local store, below the user directory. */
const FILE = join('holdfast', 'queues.db');

export class Leftover {
  readonly #deps: LeftoverDeps;
  readonly #looked: Promise<void>;
  #forwarder: Forwarder | undefined;
  #stopped = false;

  constructor(deps: LeftoverDeps) {
    this.#deps = deps;
    const exists = existsSync(join(deps.runtime.directory, FILE));
    this.#looked = exists ? this.#look() : Promise.resolve();
  }

  linkChanged(): void {
    this.#forwarder?.linkChanged();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#looked;
    await this.#forwarder?.stop();
  }

  async close(): Promise<void> {
    await this.#forwarder?.close();
  }

  async #look(): Promise<void> {
    const { log, create } = this.#deps;
    try {
      if (!(await this.#hasQueue()) || this.#stopped) return;
      const forwarder = create();
      this.#forwarder = forwarder;
      const count = await forwarder.left();
      if (count === 0) return;
      log.warn(
        `${count} messages that this node stored earlier are still waiting. They are delivered from the store, ` +
          'while new messages that cannot be delivered now fail.',
      );
    } catch (error) {
      log.warn(
        `Whether messages wait that this node stored earlier is not known: ${toFailure(error).message}`,
      );
    }
  }

  async #hasQueue(): Promise<boolean> {
    const { runtime, id } = this.#deps;
    const use = await runtime.queues.use();
    try {
      return (await use.store.names()).includes(queueName(id));
    } finally {
      await use.release();
    }
  }
}
