/**
 * The thread that owns SQLite. An fsync on an SD card may take seconds; here it stops nobody but the callers.
 * Imports nothing but node: modules and its own neighbours.
 */
import { parentPort } from 'node:worker_threads';
import { Database, errorRecord, type Cursor } from './database';
import type { AnswerOf, Operation, Reply, Request, RequestOf } from './protocol';

const databases = new Map<number, Database>();
const cursors = new Map<number, Cursor>();
let lastNumber = 0;

type Handlers = { readonly [O in Operation]: (request: RequestOf<O>) => AnswerOf<O> };

const handlers: Handlers = {
  open: ({ file, readOnly, busyMs }) => keep(databases, openDatabase(file, readOnly, busyMs)),
  close: ({ db }) => drop(databases, db),
  run: ({ db, guard, ...statement }) => of(databases, db).run(statement, guard),
  script: ({ db, statements }) => of(databases, db).script(statements),
  batch: ({ db, statements }) => of(databases, db).batch(statements),
  tolerant: ({ db, chunks }) => of(databases, db).tolerant(chunks),
  cursor: ({ db, ...statement }) => keep(cursors, of(databases, db).cursor(statement)),
  fetch: ({ cursor, size }) => of(cursors, cursor).fetch(size),
  release: ({ cursor }) => drop(cursors, cursor),
  end: () => {
    for (const cursor of cursors.keys()) drop(cursors, cursor);
    for (const db of databases.keys()) drop(databases, db);
    return null;
  },
};

function openDatabase(file: string, readOnly: boolean, busyMs: number): Database {
  // Missing before Node 22.13; asked for here, so that only this connection fails and says why.
  const sqlite = process.getBuiltinModule('node:sqlite') as typeof import('node:sqlite') | undefined;
  if (!sqlite)
    throw Object.assign(new Error('node:sqlite is missing'), { code: 'ERR_UNKNOWN_BUILTIN_MODULE' });
  const db = new sqlite.DatabaseSync(file, { readOnly, timeout: busyMs, enableForeignKeyConstraints: true });
  try {
    // WAL with FULL: a commit is on disk when it returns, and readers do not block the writer.
    if (!readOnly) db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  } catch (error) {
    db.close();
    throw error;
  }
  return new Database(db);
}

function keep<T>(map: Map<number, T>, value: T): number {
  lastNumber += 1;
  map.set(lastNumber, value);
  return lastNumber;
}

function of<T>(map: Map<number, T>, number: number): T {
  const value = map.get(number);
  if (!value) throw Object.assign(new Error('The database handle is closed.'), { code: 'ERR_INVALID_STATE' });
  return value;
}

function drop(map: Map<number, { close(): void }>, number: number): null {
  const value = map.get(number);
  map.delete(number);
  value?.close();
  return null;
}

function answer(request: Request): Reply {
  try {
    const handler = handlers[request.op] as (body: unknown) => unknown;
    return { id: request.id, value: handler(request.body) };
  } catch (error) {
    return { id: request.id, error: errorRecord(error) };
  }
}

parentPort?.on('message', (request: Request) => parentPort?.postMessage(answer(request)));
