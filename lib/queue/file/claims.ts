/** Keys remembered for a while, for the idempotent consumer. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { KeyMemoryOptions } from '../types';

/** Old keys that one claim forgets at most, besides making room. */
const SWEEP = 8;

interface Space {
  readonly id: number;
  options: KeyMemoryOptions;
  size: number;
}

export class Claims {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #spaces = new Map<number, Space>();

  /** `before`: of an earlier connection, whose openings go on. */
  constructor(db: DatabaseSync, before?: Claims) {
    this.#db = db;
    if (!before) return;
    for (const [id, space] of before.#spaces) this.#spaces.set(id, { ...space });
    this.reload();
  }

  open(name: string, options: KeyMemoryOptions): number {
    this.#use('INSERT INTO spaces(name) VALUES(?) ON CONFLICT DO NOTHING').run(name);
    const found = this.#use('SELECT id, size FROM spaces WHERE name = ?').get(name);
    const id = Number(found?.['id']);
    this.#spaces.set(id, { id, options, size: Number(found?.['size'] ?? 0) });
    return id;
  }

  claim(id: number, key: string, now: number): boolean {
    const space = this.#space(id);
    const found = this.#use('SELECT at FROM claims WHERE space = ? AND key = ?').get(id, key);
    if (found && now - Number(found['at']) < space.options.windowMs) return false;
    this.#use(
      'INSERT INTO claims(space, key, at) VALUES(?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at',
    ).run(id, key, now);
    if (!found) space.size += 1;
    this.#forgetOld(space, now);
    this.#save(space);
    return true;
  }

  forget(id: number, key: string): void {
    const space = this.#space(id);
    space.size -= Number(this.#use('DELETE FROM claims WHERE space = ? AND key = ?').run(id, key).changes);
    this.#save(space);
  }

  clear(id: number): void {
    const space = this.#space(id);
    this.#use('DELETE FROM claims WHERE space = ?').run(id);
    space.size = 0;
    this.#save(space);
  }

  /** Keys that are still remembered. */
  size(id: number, now: number): number {
    const { options } = this.#space(id);
    const found = this.#use('SELECT count(*) AS n FROM claims WHERE space = ? AND at > ?').get(
      id,
      now - options.windowMs,
    );
    return Number(found?.['n'] ?? 0);
  }

  /** After a rollback. */
  reload(): void {
    for (const space of this.#spaces.values()) {
      space.size = Number(this.#use('SELECT size FROM spaces WHERE id = ?').get(space.id)?.['size'] ?? 0);
    }
  }

  #forgetOld(space: Space, now: number): void {
    const over = Math.max(0, space.size - Math.max(1, space.options.maxKeys));
    if (over > 0) space.size -= this.#sweep(space.id, Infinity, over);
    space.size -= this.#sweep(space.id, now - space.options.windowMs, SWEEP);
  }

  #sweep(id: number, until: number, most: number): number {
    const { changes } = this.#use(
      `DELETE FROM claims WHERE space = ?1 AND key IN
        (SELECT key FROM claims WHERE space = ?1 AND at <= ?2 ORDER BY at LIMIT ?3)`,
    ).run(id, until, most);
    return Number(changes);
  }

  #save({ id, size }: Space): void {
    this.#use('UPDATE spaces SET size = ? WHERE id = ?').run(size, id);
  }

  #space(id: number): Space {
    const space = this.#spaces.get(id);
    if (!space) throw new Error(`The key memory ${id} is not open.`);
    return space;
  }

  #use(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}
