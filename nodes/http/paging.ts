/** Where the next page is: Link header, next-link field, cursor, offset or page number. */
import { Failure, getPath, parsePath, type Path } from '../../lib/core';
import type { Answer } from './session';
import { badConfig } from './template';
import { rebaseLink, setQuery, type Base } from './url';

export type PagingKind = 'none' | 'link' | 'next' | 'cursor' | 'offset' | 'page';
export interface PagingSettings {
  readonly paging: PagingKind;
  readonly response: string;
  readonly itemsPath: string;
  readonly nextPath: string;
  readonly cursorPath: string;
  readonly cursorParam: string;
  readonly offsetParam: string;
  readonly sizeParam: string;
  readonly pageParam: string;
  readonly firstPage: number;
  readonly pageSize: number;
  readonly totalPath: string;
}

/** One page that arrived. */
export interface Page {
  readonly path: string;
  readonly body: unknown;
  readonly answer: Answer;
  readonly items: readonly unknown[];
  /** Items of this page and all before it. */
  readonly count: number;
  /** From 0. */
  readonly index: number;
}
export interface Paging {
  /** The path of the first page. */
  first(path: string): string;
  /** The path of the next page; undefined after the last one. */
  next(page: Page, base: Base): string | undefined;
  /** The items of a page; throws when the body holds none where it should. */
  items(body: unknown, index: number): readonly unknown[];
}

export function compilePaging(settings: PagingSettings): Paging | undefined {
  if (settings.paging === 'none') return undefined;
  if (settings.response !== 'json') throw badConfig('"Paging" looks into JSON; set "Response" to JSON.');
  const { itemsPath } = settings;
  const path = itemsPath === '' ? undefined : parsePath(itemsPath);
  return { ...stepper(settings), items: (body, index) => itemsOf(body, index, path, itemsPath) };
}

type Stepper = Pick<Paging, 'first' | 'next'>;

function stepper(settings: PagingSettings): Stepper {
  switch (settings.paging) {
    case 'none':
    case 'link':
      return { first: same, next: (page, base) => follow(nextLink(page.answer.headers['link']), page, base) };
    case 'next': {
      const path = required(settings.nextPath, 'Next link field');
      return { first: same, next: (page, base) => follow(getPath(page.body, path), page, base) };
    }
    case 'cursor':
      return cursorStepper(required(settings.cursorPath, 'Cursor field'), settings.cursorParam);
    case 'offset':
    case 'page':
      return countingStepper(settings);
  }
}

function cursorStepper(path: Path, name: string): Stepper {
  return {
    first: same,
    next: (page) => {
      const cursor = getPath(page.body, path);
      if (cursor === undefined || cursor === null || cursor === '' || cursor === false) return undefined;
      if (typeof cursor === 'string' || typeof cursor === 'number')
        return setQuery(page.path, { [name]: cursor });
      throw badPage('The cursor of a page is neither text nor a number.');
    },
  };
}

/**
 * Counts what arrived, not what was asked for, and goes on to an empty page: a server that sends smaller pages
 * than asked for loses nothing.
 */
function countingStepper(settings: PagingSettings): Stepper {
  const { paging, offsetParam, pageParam, sizeParam, pageSize, firstPage, totalPath } = settings;
  const total = totalPath === '' ? undefined : parsePath(totalPath);
  const size = sizeParam === '' ? {} : { [sizeParam]: pageSize };
  const at = (path: string, index: number, count: number): string =>
    setQuery(path, {
      ...(paging === 'offset' ? { [offsetParam]: count } : { [pageParam]: firstPage + index }),
      ...size,
    });
  return {
    first: (path) => at(path, 0, 0),
    next: ({ path, items, index, count, body }) => {
      if (items.length === 0) return undefined;
      const all = total && Number(getPath(body, total));
      return all !== undefined && count >= all ? undefined : at(path, index + 1, count);
    },
  };
}

/** Some servers leave an empty list out; on the first page that would hide a wrong setting. */
function itemsOf(body: unknown, index: number, path: Path | undefined, name: string): readonly unknown[] {
  const items = path ? getPath(body, path) : body;
  if (Array.isArray(items)) return items as unknown[];
  if (items === null || (items === undefined && index > 0)) return [];
  const where = path ? `in "${name}"` : 'at its top; name the field under "Items field"';
  throw badPage(`A page holds no array ${where}.`);
}

const LINK = /<([^<>]*)>((?:"(?:[^"\\]|\\.)*"|[^<"])*)/g;
const PARAMETER = /;\s*([^\s=;,"]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";,]+)))?/g;

/** The target of `rel="next"` (RFC 8288 section 3). */
function nextLink(header: string | readonly string[] | undefined): string | undefined {
  const text = typeof header === 'string' ? header : (header?.join(', ') ?? '');
  for (const [, target, parameters = ''] of text.matchAll(LINK)) {
    for (const [, name = '', quoted, plain] of parameters.matchAll(PARAMETER)) {
      if (name.toLowerCase() !== 'rel') continue;
      if ((quoted ?? plain ?? '').toLowerCase().split(/\s+/).includes('next')) return target;
      // Only the first rel of a link counts.
      break;
    }
  }
  return undefined;
}

function follow(link: unknown, page: Page, base: Base): string | undefined {
  if (link === undefined || link === null || link === '' || link === false) return undefined;
  const path = typeof link === 'string' ? rebaseLink(link, page.path, base) : undefined;
  if (path === undefined) throw badPage('The link to the next page is not an HTTP address.');
  return path;
}

function required(text: string, label: string): Path {
  if (text === '') throw badConfig(`"${label}" is empty, so the next page cannot be found.`);
  return parsePath(text);
}

const same = (path: string): string => path;

export function badPage(sentence: string): Failure {
  return new Failure('rejected', 'BAD_RESPONSE', sentence);
}
