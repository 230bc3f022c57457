/**
 * Mustache templates that read only own properties and call nothing. Tags may carry filters; there are no
 * partials, no changed delimiters and no lambdas, and nothing is escaped (these are no HTML pages).
 */
import type Mustache from 'mustache';
import { getPath, parsePath, type Path } from '../../lib/core/path';
import { asText, readFilter, splitPipes, type Filter } from './filters';
import { textOf, Trouble } from './trouble';

export type MustacheLibrary = typeof Mustache;

/** What a template or a rule reads from. */
export interface Scope {
  /** The message, or one element of the array. */
  readonly input: unknown;
  /** The element around `input`, where the input is a value of it. */
  readonly around?: unknown;
  readonly msg: object;
}
export type Template = (scope: Scope) => string;

interface Tag {
  /** Undefined for `.`, the current value. */
  readonly path: Path | undefined;
  readonly filters: readonly Filter[];
}
type Token = [
  type: string,
  value: string,
  start: number,
  end: number,
  children?: Token[],
  ...rest: unknown[],
];

/** Sections in sections can multiply, and long values repeat; more work or text than this ends the rendering. */
const MOST_LOOKUPS = 200_000;
const MOST_TEXT = 20_000_000;

class Budget {
  #lookups = MOST_LOOKUPS;
  #text = MOST_TEXT;

  lookup(): void {
    this.#lookups -= 1;
    if (this.#lookups < 0) throw new Trouble('the template repeats too often');
  }
  write(length: number): void {
    this.#text -= length;
    if (this.#text < 0) throw new Trouble('the filled template is too long');
  }
}

/** Throws a Trouble when the template is wrong. */
export function compileTemplate(source: string, mustache: MustacheLibrary): Template {
  const tags = new Map<string, Tag>();
  const tokens = checked(parse(source, mustache), tags);
  const writer = new mustache.Writer();

  class SafeContext extends mustache.Context {
    /** Innermost first. */
    readonly #views: readonly unknown[];

    constructor(
      view: unknown,
      private readonly scope: Scope,
      private readonly budget: Budget,
      outer: readonly unknown[] = [],
    ) {
      super(view);
      this.#views = [view, ...outer];
    }
    override push(view: unknown): SafeContext {
      // Each turn of a section writes at most the template's own text, besides its values.
      this.budget.write(source.length);
      return new SafeContext(view, this.scope, this.budget, this.#views);
    }
    override lookup(name: string): unknown {
      this.budget.lookup();
      const tag = tags.get(name);
      if (!tag) return undefined;
      let value = tag.path ? this.#find(tag.path) : (this.view as unknown);
      for (const filter of tag.filters) value = filter(value);
      return typeof value === 'function' ? undefined : value;
    }
    #find(path: Path): unknown {
      if (path[0] === 'msg') return getPath(this.scope.msg, path.slice(1));
      return find(this.#views, path);
    }
  }

  return (scope) => {
    const budget = new Budget();
    const escape = (value: unknown): string => {
      const text = asText(value);
      budget.write(text.length);
      return text;
    };
    let context = new SafeContext(scope.msg, scope, budget);
    for (const view of [scope.around, scope.input]) {
      if (view !== undefined && view !== scope.msg) context = context.push(view);
    }
    return writer.renderTokens(tokens as unknown as string[][], context, undefined, source, { escape });
  };
}

/** A template that is exactly one tag gives the value itself, so that a number stays a number. */
export function compileValue(source: string, mustache: MustacheLibrary): (scope: Scope) => unknown {
  const match = /^\{\{\{?\s*([^#^/>!&={}][^{}]*?)\s*\}?\}\}$/.exec(source.trim());
  const template = compileTemplate(source, mustache);
  if (!match) return template;
  const { path, filters } = readTag(match[1] ?? '');
  return ({ input, msg }) => {
    let value = input;
    if (path?.[0] === 'msg') value = getPath(msg, path.slice(1));
    else if (path) value = find([input, msg], path);
    for (const filter of filters) value = filter(value);
    return typeof value === 'function' ? undefined : value;
  };
}

/** As in Mustache: the innermost view that knows the first name of the path answers. */
function find(views: readonly unknown[], path: Path): unknown {
  const first = path.slice(0, 1);
  const view = views.find((one) => getPath(one, first) !== undefined);
  return getPath(view, path);
}

function parse(source: string, mustache: MustacheLibrary): Token[] {
  try {
    return new mustache.Writer().parse(source, ['{{', '}}']) as Token[];
  } catch (error) {
    throw new Trouble(`the template is wrong: ${textOf(error)}`);
  }
}

function checked(tokens: readonly Token[], tags: Map<string, Tag>): Token[] {
  return tokens.map((token): Token => {
    const [type, value] = token;
    if (type === '>')
      throw new Trouble(`the template asks for the partial "${value}"; there are no partials`);
    if (type === '=') throw new Trouble('the template changes its delimiters, which is not possible');
    if (type === 'text' || type === '!') return token;
    const tag = readTag(value);
    const section = type === '#' || type === '^';
    if (section && tag.filters.length > 0) throw new Trouble(`the section "${value}" cannot have filters`);
    tags.set(value, tag);
    const copy: Token = [...token];
    if (section) copy[4] = checked(token[4] ?? [], tags);
    else copy[0] = 'name';
    return copy;
  });
}

function readTag(text: string): Tag {
  const [name = '', ...filters] = splitPipes(text);
  if (name === '') throw new Trouble('a tag of the template is empty');
  let path: Path | undefined;
  try {
    path = name === '.' ? undefined : parsePath(name);
  } catch (error) {
    throw new Trouble(textOf(error));
  }
  return { path, filters: filters.map(readFilter) };
}
