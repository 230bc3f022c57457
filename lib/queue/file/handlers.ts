/** What each operation does, within the transaction of its batch. */
import type { Attempt, Source } from '../types';
import type { Engine } from './engine';
import { eachFrame, readHead, rowBound, writeRow } from './frame';
import { Leasing } from './leasing';
import type { Answer, Ask, Operation, Operations, Settle } from './protocol';
import { purge, putAll } from './room';
import type { Shelf } from './shelf';
import { parseHistory } from './shelf';
import type { Held } from './lines';

export type Handlers = { readonly [O in Operation]: (ask: Ask<O>) => Answer<O> };

export function handlers(engine: Engine): Handlers {
  /** Does something with the lease of a token; false when it is worthless. */
  const settle = ({ queue, seq, no }: Settle, act: (shelf: Shelf, held: Held) => void): boolean => {
    const shelf = engine.shelf(queue);
    const held = shelf.leased(seq, no);
    if (held) act(shelf, held);
    return held !== undefined;
  };
  return {
    open({ name, options }) {
      const shelf = engine.shelfOf(name);
      const reordered = shelf.options && shelf.options.ordered !== options.ordered;
      shelf.options = options;
      shelf.oldDue = 0;
      if (reordered) {
        shelf.rewind();
        shelf.lines.order(options.ordered);
      }
      return { queue: shelf.id, epoch: engine.epoch };
    },
    close({ queue, handle }) {
      const shelf = engine.shelf(queue);
      for (const held of [...shelf.lines.all()]) {
        if (held.no > 0 && held.handle === handle) shelf.giveBack(held);
      }
      return null;
    },
    put: (ask) => putAll(engine.shelf(ask.queue), ask, engine.now),
    lease(ask) {
      const shelf = engine.shelf(ask.queue);
      return new Leasing(shelf, ask, engine.now, (found, line, past) => {
        const last = parseHistory(past.history).at(-1);
        engine.buryWaiting(shelf, found.seq, found.row, line, engine.exhausted(shelf, past.delivery, last));
      }).run();
    },
    acknowledge: ({ queue, tokens }) => acknowledge(engine.shelf(queue), tokens),
    reject: ({ attempt, delayMs, ...token }) =>
      settle(token, (shelf, held) => reject(engine, shelf, held, readAttempt(attempt), delayMs)),
    release: (token) => settle(token, (shelf, held) => shelf.giveBack(held)),
    extend: ({ visibilityMs, ...token }) =>
      settle(token, (shelf, held) => shelf.lines.hold({ ...held, due: engine.now + visibilityMs })),
    bury: ({ attempt, ...token }) =>
      settle(token, (shelf, held) => engine.buryHeld(shelf, held, JSON.parse(attempt) as Attempt)),
    inspect: ({ queue, after, limit }) => inspect(engine.shelf(queue), after, limit),
    stats: ({ queue }) => stats(engine, engine.shelf(queue)),
    purge: ({ queue }) => purge(engine.shelf(queue)),
    names: () =>
      engine.db
        .prepare('SELECT name FROM queues ORDER BY name')
        .all()
        .map(({ name }) => String(name)),
    deadList: ({ filter, after, limit }) => engine.dead.list(filter, after, limit),
    deadGet: ({ number }) => engine.dead.get(number),
    deadAdd: (ask) => addDead(engine, ask),
    deadReplay: ({ filter, body }) => replay(engine, filter, body),
    deadPurge: ({ filter }) => engine.dead.purge(filter),
    deadStats: () => engine.dead.stats(),
    deadLimit({ limits }) {
      engine.dead.limit(limits, engine.now);
      return null;
    },
    keysOpen: ({ name, options }) => engine.claims.open(name, options),
    keysClaim: ({ space, key }) => engine.claims.claim(space, key, engine.now),
    keysForget({ space, key }) {
      engine.claims.forget(space, key);
      return null;
    },
    keysClear({ space }) {
      engine.claims.clear(space);
      return null;
    },
    keysSize: ({ space }) => engine.claims.size(space, engine.now),
    tick: () => null,
  };
}

function readAttempt(text: string | undefined): Attempt | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Attempt);
}

function acknowledge(shelf: Shelf, tokens: Float64Array): Uint8Array | undefined {
  let failed: Uint8Array | undefined;
  for (let i = 0; i < tokens.length; i += 2) {
    const held = shelf.leased(tokens[i] as number, tokens[i + 1] as number);
    if (held) {
      shelf.end(held);
      shelf.counters.acknowledged += 1;
    } else (failed ??= new Uint8Array(tokens.length / 2))[i / 2] = 1;
  }
  return failed;
}

function reject(
  engine: Engine,
  shelf: Shelf,
  held: Held,
  attempt: Attempt | undefined,
  delayMs: number,
): void {
  const most = shelf.options?.maxDeliveries ?? 0;
  if (most === 0 || held.delivery < most) {
    shelf.fail(held, attempt, delayMs > 0 ? engine.now + delayMs : 0);
    return;
  }
  engine.buryHeld(shelf, held, attempt ?? engine.exhausted(shelf, held.delivery, undefined));
}

function inspect(shelf: Shelf, after: number, limit: number): Answer<'inspect'> {
  shelf.settle();
  const found: Answer<'inspect'>[number][] = [];
  for (const { seq, head, bytes } of shelf.rows.summaries(after + 1)) {
    const { id, key, time } = readHead(head);
    const held = shelf.lines.get(seq);
    const delivery = held && held.no > 0 ? held.delivery : (shelf.rows.past(seq)?.delivery ?? 0);
    const state = !held ? 'waiting' : held.no > 0 ? 'leased' : 'delayed';
    found.push({ position: seq, id, key, time, bytes, delivery, state });
    if (found.length >= limit) break;
  }
  return found;
}

function stats(engine: Engine, shelf: Shelf): Answer<'stats'> {
  shelf.settle();
  const { records, bytes, put, acknowledged, died, replayed, full, old, purged, duplicates } = shelf.counters;
  const { leased, delayed } = shelf.lines;
  const oldest = shelf.rows.oldestAt();
  return {
    waiting: records - leased - delayed,
    leased,
    delayed,
    dead: engine.dead.ofQueue(shelf.name),
    bytes,
    oldestMs: oldest === undefined ? 0 : Math.max(0, engine.now - oldest),
    totals: { put, acknowledged, died, replayed, dropped: { full, old, purged }, duplicates },
  };
}

function addDead(engine: Engine, ask: Operations['deadAdd'][0]): number {
  const history = parseHistory(ask.history);
  const last = history.at(-1) ?? engine.givenUp();
  let number = 0;
  eachFrame(ask.data, 1, (row) => {
    const owner = JSON.parse(ask.owner) as Source;
    const letter = engine.dead.add(
      { queue: ask.queue, row, attempts: ask.attempts, history, last, owner },
      engine.now,
    );
    engine.tell(letter);
    number = letter.number;
  });
  return number;
}

function replay(
  engine: Engine,
  filter: Operations['deadReplay'][0]['filter'],
  body: Uint8Array | undefined,
): number {
  let count = 0;
  for (const { number, queue, row, history } of engine.dead.each(filter)) {
    const shelf = engine.shelfOf(queue);
    shelf.append(body ? withBody(row, body) : row, history === '[]' ? '' : history, engine.now);
    shelf.counters.replayed += 1;
    engine.dead.remove(number);
    count += 1;
  }
  return count;
}

function withBody(row: Buffer, body: Uint8Array): Buffer {
  const head = readHead(row);
  const entry = { ...head, body };
  const edited = Buffer.alloc(rowBound(entry));
  return edited.subarray(0, writeRow(edited, 0, entry));
}
