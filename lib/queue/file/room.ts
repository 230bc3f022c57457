/** The limits of a queue: what a put finds full, what grows old. */
import { eachFrame, headLength, readHead, readKey } from './frame';
import type { Operations } from './protocol';
import type { Row, Summary } from './rows';
import type { Shelf } from './shelf';

const STORED = 0;
const DUPLICATE = 1;
const DROPPED = 2;
const FULL = 3;
/** Rows that one turn ends because they are old; the rest follows with the next. */
const MOST_OLD = 1000;

/** Stores what fits. Undefined: everything. */
export function putAll(shelf: Shelf, ask: Operations['put'][0], now: number): Operations['put'][1] {
  let codes: Uint8Array | undefined;
  const options = shelf.options;
  eachFrame(ask.data, ask.count, (row, attempts, index) => {
    let code = STORED;
    if (options && options.duplicateWindowMs > 0 && isDuplicate(shelf, row, now, options.duplicateWindowMs)) {
      code = DUPLICATE;
    } else code = fit(shelf, row.length - headLength(row));
    if (code === STORED) {
      shelf.append(row, attempts, now);
      if (options && options.duplicateWindowMs > 0) shelf.rows.see(readHead(row).id, now);
    } else (codes ??= new Uint8Array(ask.count))[index] = code;
  });
  if (options && options.duplicateWindowMs > 0) {
    shelf.rows.unsee(now - options.duplicateWindowMs, 2 * ask.count + 16);
  }
  return codes;
}

function isDuplicate(shelf: Shelf, row: Buffer, now: number, windowMs: number): boolean {
  const at = shelf.rows.seenAt(readHead(row).id);
  if (at === undefined || now - at >= windowMs) return false;
  shelf.counters.duplicates += 1;
  shelf.touch();
  return true;
}

/** Makes room as the queue's policy says. */
function fit(shelf: Shelf, bytes: number): number {
  const options = shelf.options;
  if (!options || !isOver(shelf, bytes)) return STORED;
  if (options.whenFull === 'dropOldest' && (options.maxBytes === 0 || bytes <= options.maxBytes)) {
    while (isOver(shelf, bytes) && dropOldest(shelf));
    return isOver(shelf, bytes) ? FULL : STORED;
  }
  if (options.whenFull !== 'dropNewest') return FULL;
  // The new record itself is dropped: it counts as put, so that the sum of the totals holds.
  shelf.counters.put += 1;
  shelf.counters.full += 1;
  shelf.news.droppedFull += 1;
  shelf.touch();
  return DROPPED;
}

function isOver(shelf: Shelf, bytes: number): boolean {
  const { maxRecords = 0, maxBytes = 0 } = shelf.options ?? {};
  const { records, bytes: there } = shelf.counters;
  return (maxRecords > 0 && records + 1 > maxRecords) || (maxBytes > 0 && there + bytes > maxBytes);
}

function dropOldest(shelf: Shelf): boolean {
  const found = firstFree(shelf);
  if (!found) return false;
  discard(shelf, found);
  shelf.counters.full += 1;
  shelf.news.droppedFull += 1;
  return true;
}

/** The oldest record that is not leased. */
function firstFree(shelf: Shelf): Summary | undefined {
  shelf.settle();
  for (const found of shelf.rows.summaries(shelf.oldest)) {
    shelf.oldest = found.seq;
    if (!isLeased(shelf, found.seq)) return found;
  }
  return undefined;
}

function isLeased(shelf: Shelf, seq: number): boolean {
  return (shelf.lines.get(seq)?.no ?? 0) > 0;
}

function discard(shelf: Shelf, found: Summary): void {
  const held = shelf.lines.get(found.seq);
  if (held) shelf.end(held);
  else {
    const key = readKey(found.head);
    shelf.remove(found.seq, found.bytes, key === '' ? undefined : key);
  }
  if (shelf.tail.covers(found.seq)) shelf.tail.clear(shelf.counters.next);
  shelf.oldest = found.seq + 1;
}

/** Removes everything that is not leased. */
export function purge(shelf: Shelf): number {
  shelf.settle();
  const leased = [...shelf.lines.all()].filter(({ no }) => no > 0).sort((a, b) => a.seq - b.seq);
  const gone = shelf.counters.records - leased.length;
  if (gone === 0) return 0;
  for (const held of [...shelf.lines.all()]) if (held.no === 0) shelf.lines.end(held);
  if (leased.length === 0) shelf.rows.clear();
  else {
    let from = 0;
    for (const { seq } of [...leased, { seq: shelf.counters.next }]) {
      if (seq > from) shelf.rows.remove(from, seq - 1);
      from = seq + 1;
    }
  }
  Object.assign(shelf.counters, {
    records: leased.length,
    bytes: leased.reduce((sum, { bytes }) => sum + bytes, 0),
    keyed: leased.filter(({ line }) => line !== undefined && line !== '').length,
    purged: shelf.counters.purged + gone,
  });
  shelf.rewind();
  shelf.touch();
  return gone;
}

export type Bury = (found: Row, line: string | undefined) => void;

/** Ends records that are older than their queue allows. Returns whether more may follow at once. */
export function endOld(shelf: Shelf, now: number, bury: Bury): boolean {
  const options = shelf.options;
  if (!options || options.maxAgeMs === 0 || shelf.counters.records === 0 || now < shelf.oldDue) return false;
  shelf.settle();
  const found: Summary[] = [];
  shelf.oldDue = Infinity;
  for (const row of shelf.rows.summaries(shelf.oldest)) {
    if (isLeased(shelf, row.seq)) continue;
    if (row.at + options.maxAgeMs > now || found.length >= MOST_OLD) {
      shelf.oldDue = row.at + options.maxAgeMs;
      break;
    }
    found.push(row);
  }
  for (const row of found) endOne(shelf, row, options.whenOld, bury);
  return shelf.oldDue <= now;
}

function endOne(shelf: Shelf, old: Summary, whenOld: 'deadLetter' | 'drop', bury: Bury): void {
  if (whenOld === 'drop') {
    discard(shelf, old);
    shelf.counters.old += 1;
    shelf.news.droppedOld += 1;
    return;
  }
  const found = shelf.rows.one(old.seq);
  if (found) bury(found, readKey(found.row) === '' ? undefined : readKey(found.row));
}
