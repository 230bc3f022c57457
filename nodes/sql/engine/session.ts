/** One connection node's session: a pool, and what was learnt about the database through it. */
import type { Knex } from 'knex';
import type { Scope } from '../../../lib/core';
import type { Dialect, Link } from '../dialects/types';
import { Columns, quoteTable } from './names';
import type { Pool } from './pool';
import { Texts } from './texts';

export interface Driver {
  readonly dialect: Dialect;
  link(connection: object): Link;
  /** Cuts a connection whose call was given up. */
  cut(connection: object): void;
  /** Frees what the pool does not own. */
  close(): Promise<void>;
}

/** Tables whose columns are remembered. */
const REMEMBERED = 200;

export class Session {
  readonly dialect: Dialect;
  readonly texts: Texts;
  readonly #pool: Pool;
  readonly #driver: Driver;
  readonly #columns = new Map<string, Columns>();
  readonly #created = new Map<string, Promise<void>>();

  constructor(pool: Pool, driver: Driver) {
    this.#pool = pool;
    this.#driver = driver;
    this.dialect = driver.dialect;
    this.texts = new Texts(driver.dialect);
  }

  get schema(): Knex.SchemaBuilder {
    return this.#pool.knex.schema;
  }

  /** Lends a connection to `work`. On abort the statement is cancelled and the connection is not used again. */
  async use<T>(scope: Scope, work: (link: Link) => Promise<T>): Promise<T> {
    const { link, giveBack } = await this.#borrow(scope);
    try {
      return await orAbort(scope, work(link));
    } finally {
      giveBack();
    }
  }

  /** As `use`, for results that are read in parts. */
  async *useEach<T>(
    scope: Scope,
    work: (link: Link) => AsyncGenerator<T, void, undefined>,
  ): AsyncGenerator<T, void, undefined> {
    const { link, giveBack } = await this.#borrow(scope);
    try {
      yield* work(link);
    } finally {
      giveBack();
    }
  }

  async columns(table: string, scope: Scope): Promise<Columns> {
    const known = this.#columns.get(table);
    if (known) return known;
    const sql = `SELECT * FROM ${quoteTable(table, this.dialect)} WHERE 1 = 0`;
    const { columns } = await this.use(scope, (link) => link.run({ sql, values: [] }));
    const found = new Columns(columns, this.dialect.caseSensitive);
    if (this.#columns.size >= REMEMBERED) this.#columns.clear();
    this.#columns.set(table, found);
    return found;
  }

  /** The table changed, or a column was not found: the next look asks the database. */
  forget(table: string): void {
    this.#columns.delete(table);
  }

  /** The table is gone: the next write makes it again, where the node is to make it. */
  forgetCreated(table: string): void {
    this.forget(table);
    this.#created.delete(table);
  }

  /** Runs `create` once per table and session; again when it failed. */
  once(table: string, create: () => Promise<void>): Promise<void> {
    const running = this.#created.get(table);
    if (running) return running;
    const made = create();
    this.#created.set(table, made);
    made.catch(() => this.#created.delete(table));
    return made;
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close().catch(() => {}), this.#driver.close()]);
  }

  async #borrow(scope: Scope): Promise<{ link: Link; giveBack: () => void }> {
    scope.throwIfAborted();
    const acquiring = this.#pool.acquire();
    const connection = await orAbort(scope, acquiring).catch((error: unknown) => {
      // The pool cannot be told that nobody waits any more.
      if (scope.aborted) acquiring.then((late) => this.#pool.release(late)).catch(() => {});
      throw error;
    });
    const stop = scope.onAbort(() => this.#giveUp(connection));
    return {
      link: this.#driver.link(connection),
      giveBack: () => {
        stop();
        void this.#pool.release(connection);
      },
    };
  }

  /** Without the cancel a server would go on with a statement whose caller has left. */
  #giveUp(connection: object): void {
    this.#pool.discard(connection, 'the call was given up');
    void this.#pool
      .cancel(connection)
      .catch(() => {})
      .finally(() => this.#driver.cut(connection));
  }
}

/** Ends with the scope, even when the driver does not. */
function orAbort<T>(scope: Scope, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = scope.onAbort(reject);
    work.then(resolve, reject).finally(stop);
  });
}
