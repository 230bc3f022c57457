/** Fetches page after page, with hard limits on pages, items and bytes. */
import { Failure, Scope, type Clock } from '../../lib/core';
import type { Patch } from '../../lib/roles';
import { tooLarge } from './answer';
import { masked, maskedHeaders } from './mask';
import { badPage, type Page, type Paging } from './paging';
import type { Answer } from './session';
import type { Base } from './url';

export interface PageLimits {
  readonly maxPages: number;
  readonly maxItems: number;
  /** What happens when there is more than the limits allow. */
  readonly atLimit: 'fail' | 'stop';
}
/** A page as it goes out: its items, cut to the limit, and whether more was left behind. */
export interface Part {
  readonly items: readonly unknown[];
  readonly answer: Answer;
  readonly index: number;
  readonly truncated: boolean;
}
/** Sends one request and gives the answer with its decoded body. */
export type Fetch = (
  path: string,
  index: number,
) => Promise<{ readonly answer: Answer; readonly body: unknown }>;

export async function* fetchPages(
  fetch: Fetch,
  start: string,
  paging: Paging,
  base: Base,
  limits: PageLimits,
): AsyncGenerator<Part> {
  const seen = new Set<string>();
  let path: string | undefined = paging.first(start);
  let count = 0;
  for (let index = 0; path !== undefined; index += 1) {
    if (seen.has(path)) throw badPage('The pages lead in a circle: the next page was fetched before.');
    seen.add(path);
    const { answer, body } = await fetch(path, index);
    const items = paging.items(body, index);
    count += items.length;
    const page: Page = { path, body, answer, items, count, index };
    path = paging.next(page, base);
    const excess = count - limits.maxItems;
    const truncated = excess > 0 || (path !== undefined && (index + 1 >= limits.maxPages || excess === 0));
    if (truncated && limits.atLimit === 'fail') throw tooMany(limits, index + 1, count);
    const kept = excess > 0 ? items.slice(0, items.length - excess) : items;
    // The empty page that proves the end of a counted list is not a result.
    if (kept.length > 0 || index === 0) yield { items: kept, answer, index, truncated };
    if (truncated) return;
  }
}

/** All pages as one message. `maxBytes` bounds them together: they stand in memory at the same time. */
export async function joinPages(pages: AsyncIterable<Part>, maxBytes: number): Promise<Patch> {
  const payload: unknown[] = [];
  let bytes = 0;
  let last: Part | undefined;
  for await (const part of pages) {
    last = part;
    bytes += part.answer.data.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    for (const item of part.items) payload.push(item);
  }
  return {
    ...(last ? patchOf(last.answer, payload) : { payload }),
    pages: (last?.index ?? -1) + 1,
    truncated: last?.truncated ?? false,
  };
}

/** The pages one by one. Leaving early ends the request under way, which listens to `scope`. */
export function separatePages(
  first: IteratorResult<Part>,
  pages: AsyncGenerator<Part>,
  scope: Scope,
): AsyncIterable<Patch> {
  let next: Promise<IteratorResult<Part>> | undefined = Promise.resolve(first);
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const result = await (next ?? pages.next());
        next = undefined;
        if (result.done === true) return { done: true, value: undefined };
        const { items, answer, truncated } = result.value;
        return { value: { ...patchOf(answer, items), truncated } };
      },
      async return() {
        scope.abort();
        // A request that was cut off by this has said all it can.
        await pages.return(undefined).catch(() => {});
        return { done: true, value: undefined };
      },
    }),
  };
}

/** Ends `work` after `ms`, or with `outer`. */
export async function within<T>(
  ms: number,
  clock: Clock,
  outer: Scope,
  work: (scope: Scope) => Promise<T>,
): Promise<T> {
  const scope = new Scope();
  const off = outer.onAbort((reason) => scope.abort(reason));
  const timer = clock.timer(ms, () =>
    scope.abort(new Failure('transient', 'CALL_TIMEOUT', `A page did not arrive within ${ms} ms.`)),
  );
  try {
    return await work(scope);
  } finally {
    timer.cancel();
    off();
  }
}

export function patchOf(answer: Answer, payload: unknown): Patch {
  return {
    payload,
    statusCode: answer.status,
    responseHeaders: maskedHeaders(answer),
    responseUrl: masked(answer.url, answer.credentials),
  };
}

function tooMany({ maxPages, maxItems }: PageLimits, pages: number, items: number): Failure {
  const text =
    `The list goes on after ${pages} pages with ${items} items, above the limits of ${maxPages} pages and ${maxItems} ` +
    'items. Ask for less, raise the limits, or let the node stop there.';
  return new Failure('rejected', 'TOO_MANY_PAGES', text, { details: { pages, items } });
}
