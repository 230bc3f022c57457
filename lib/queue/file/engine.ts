/**
 * The queues of one file: carries out batches, each in one transaction. Has no clock: every batch brings the time.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Attempt, DeadLetter, Source } from '../types';
import { Claims } from './claims';
import type { Held } from './lines';
import { Graveyard } from './graveyard';
import { handlers, type Handlers } from './handlers';
import type { Batch, Command, Reply, Tidings } from './protocol';
import { endOld } from './room';
import { queueTables, readMeta, writeMeta } from './schema';
import { parseHistory, Shelf } from './shelf';

/** Bytes of records that are kept in memory, over all queues. */
const TAIL_BYTES = 8 * 1024 * 1024;
const NOBODY: Source = { node: '', name: '', type: '', flow: '' };

export class Engine {
  readonly db: DatabaseSync;
  readonly dead: Graveyard;
  readonly claims: Claims;
  /** Rises with each opening of the file; tokens of earlier ones are worthless. */
  readonly epoch: number;
  /** Of the batch that runs. */
  now: number;
  wall = 0;
  readonly #shelves = new Map<number, Shelf>();
  readonly #budget = { left: TAIL_BYTES };
  readonly #handlers: Handlers = handlers(this);
  /** Queues that appeared in the batch that runs. */
  #fresh: number[] = [];
  #letters: DeadLetter[] | undefined;

  /** `before`: the engine of an earlier connection, whose leases go on. */
  constructor(db: DatabaseSync, before?: Engine) {
    this.db = db;
    this.now = Math.max(before?.now ?? 0, lastRunning(db));
    this.epoch = before?.epoch ?? Number(readMeta(db, 'epoch') ?? 0) + 1;
    writeMeta(db, 'epoch', this.epoch);
    this.dead = new Graveyard(db);
    this.claims = new Claims(db, before?.claims);
    for (const shelf of before?.shelves() ?? []) {
      this.#shelves.set(shelf.id, new Shelf(db, shelf.id, shelf.name, this.#budget, shelf));
    }
  }

  /** Everything or nothing: what it throws has been rolled back. */
  run(batch: Batch): Reply {
    this.now = batch.now;
    this.wall = batch.wall;
    this.#letters = batch.letters ? [] : undefined;
    this.#fresh = [];
    try {
      this.db.exec('BEGIN IMMEDIATE');
      this.#fallDue();
      const answers = this.#carryOutAll(batch.commands);
      // What came back just now may be too old already.
      this.#fallDue();
      for (const shelf of this.#shelves.values()) shelf.save(this.now);
      this.dead.save();
      this.db.exec('COMMIT');
      return { answers, ...this.#afterwards() };
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  /** Running time must not be forgotten over long silence. */
  saveTime(now: number): void {
    writeMeta(this.db, 'running', now);
  }

  /** A queue by its number; it must exist. */
  shelf(id: number): Shelf {
    const shelf = this.#shelves.get(id);
    if (!shelf) throw new Error(`Queue ${id} is not open.`);
    return shelf;
  }

  /** A queue by its name; made when it does not exist. */
  shelfOf(name: string): Shelf {
    let found = this.db.prepare('SELECT id FROM queues WHERE name = ?').get(name);
    if (!found) {
      const { lastInsertRowid } = this.db.prepare('INSERT INTO queues(name) VALUES(?)').run(name);
      found = { id: Number(lastInsertRowid) };
      this.db.exec(queueTables(Number(lastInsertRowid)));
    }
    const id = Number(found['id']);
    let shelf = this.#shelves.get(id);
    if (!shelf) {
      shelf = new Shelf(this.db, id, name, this.#budget);
      shelf.countInterrupted();
      this.#shelves.set(id, shelf);
      this.#fresh.push(id);
    }
    return shelf;
  }

  /** Moves a leased record to the dead letters. */
  buryHeld(shelf: Shelf, held: Held, last: Attempt): void {
    shelf.settle();
    const found = shelf.rows.one(held.seq);
    if (found) this.#bury(shelf, found.seq, found.row, held.delivery, last);
    shelf.end(held);
  }

  /** Moves a waiting or delayed record to the dead letters. */
  buryWaiting(shelf: Shelf, seq: number, row: Buffer, line: string | undefined, last: Attempt): void {
    const delivery = shelf.rows.past(seq)?.delivery ?? 0;
    const bytes = this.#bury(shelf, seq, row, delivery, last);
    const held = shelf.lines.get(seq);
    if (held) shelf.end(held);
    else shelf.remove(seq, bytes, line);
    if (shelf.tail.covers(seq)) shelf.tail.clear(shelf.counters.next);
  }

  tell(letter: DeadLetter): void {
    this.#letters?.push(letter);
  }

  /** Nobody said why. */
  givenUp(): Attempt {
    const message = 'The message was given up; nobody said why.';
    return { at: this.wall, kind: 'rejected', code: 'DELIVERIES_EXHAUSTED', message };
  }

  /** Why a record was given up after its deliveries. */
  exhausted(shelf: Shelf, deliveries: number, last: Attempt | undefined): Attempt {
    const ended = last ? ` The last one failed: ${last.message}` : '';
    return {
      at: this.wall,
      kind: 'rejected',
      code: 'DELIVERIES_EXHAUSTED',
      message: `The message was delivered ${deliveries} times from queue ${shelf.name} without being acknowledged.${ended}`,
      ...(last?.source && { source: last.source }),
    };
  }

  #bury(shelf: Shelf, seq: number, row: Buffer, delivery: number, last: Attempt): number {
    const before = parseHistory(shelf.rows.past(seq)?.history ?? '');
    const owner = shelf.options?.owner ?? NOBODY;
    const history = [...before, last].slice(-20);
    const letter = this.dead.add(
      { queue: shelf.name, row: Buffer.from(row), attempts: delivery, history, last, owner },
      this.now,
    );
    shelf.counters.died += 1;
    shelf.news.died += 1;
    this.tell(letter);
    return letter.bytes;
  }

  /** Ends leases and delays that are over, and records that are too old. */
  #fallDue(): void {
    for (const shelf of this.#shelves.values()) {
      if (shelf.due > this.now) continue;
      for (const held of shelf.lines.takeDue(this.now)) this.#runOut(shelf, held);
      endOld(shelf, this.now, (found, line) => {
        const message = `The message waited longer in queue ${shelf.name} than its limit of ${shelf.options?.maxAgeMs ?? 0} ms.`;
        const last: Attempt = { at: this.wall, kind: 'rejected', code: 'EXPIRED', message };
        this.buryWaiting(shelf, found.seq, found.row, line, last);
      });
    }
    this.dead.endOld(this.now);
  }

  #runOut(shelf: Shelf, held: Held): void {
    const most = shelf.options?.maxDeliveries ?? 0;
    if (held.no === 0) shelf.giveBack(held);
    else if (most > 0 && held.delivery >= most) {
      this.buryHeld(shelf, held, this.exhausted(shelf, held.delivery, undefined));
    } else shelf.fail(held, undefined, 0);
  }

  /** What ended comes first: new rows then take the pages that it frees, which halves what a commit writes. */
  #carryOutAll(commands: readonly Command[]): unknown[] {
    const answers = new Array<unknown>(commands.length);
    const carryOut = (acknowledged: boolean): void =>
      commands.forEach((command, index) => {
        if ((command.op === 'acknowledge') === acknowledged) answers[index] = this.#carryOut(command);
      });
    carryOut(true);
    for (const shelf of this.#shelves.values()) shelf.settle();
    carryOut(false);
    return answers;
  }

  #carryOut({ op, ask }: Command): unknown {
    return (this.#handlers[op] as (ask: unknown) => unknown)(ask);
  }

  #afterwards(): Omit<Reply, 'answers'> {
    const tidings: Tidings[] = [];
    let due = Infinity;
    for (const shelf of this.#shelves.values()) {
      shelf.keep();
      const { ready, droppedFull, droppedOld, died } = shelf.news;
      if (ready || droppedFull > 0 || droppedOld > 0 || died > 0) {
        tidings.push({ queue: shelf.id, ...shelf.news });
        Object.assign(shelf.news, { ready: false, droppedFull: 0, droppedOld: 0, died: 0 });
      }
      due = Math.min(due, shelf.due);
    }
    const letters = this.#letters;
    return { tidings, due, ...(letters && letters.length > 0 && { letters }) };
  }

  #rollback(): void {
    try {
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
    } catch {
      // The connection is replaced before it is used again.
    }
    for (const id of this.#fresh) this.#shelves.delete(id);
    for (const shelf of this.#shelves.values()) shelf.undo();
  }

  /** Reads the counters anew after a rollback. */
  reload(): void {
    for (const shelf of this.#shelves.values()) shelf.reload();
    this.dead.load();
    this.claims.reload();
  }

  shelves(): Iterable<Shelf> {
    return this.#shelves.values();
  }
}

export function lastRunning(db: DatabaseSync): number {
  const queues = Number(db.prepare('SELECT max(running) AS most FROM queues').get()?.['most'] ?? 0);
  return Math.max(queues, Number(readMeta(db, 'running') ?? 0));
}
