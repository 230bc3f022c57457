import { Failure } from '../../lib/core';
import { planReads } from './plan';
import { ReadPlan } from './read';
import type { Session } from './session';
import { resolveTags } from './tags';
import type { Addressing, Tag, TagRow } from './tags';

/** Plans of different selections that are kept; selections come from messages. */
const MAX_PLANS = 32;

/** The tags of one node on one session, with the plans that were made for them. */
export class OpenBook {
  readonly #session: Session;
  readonly #tags: readonly Tag[];
  readonly #byName: ReadonlyMap<string, Tag>;
  readonly #plans = new Map<string, ReadPlan>();

  constructor(session: Session, tags: readonly Tag[]) {
    this.#session = session;
    this.#tags = tags;
    this.#byName = new Map(tags.map((tag) => [tag.name, tag]));
  }

  get tags(): readonly Tag[] {
    return this.#tags;
  }

  /** Throws a `rejected` Failure when the table has no such tag. */
  tag(name: string): Tag {
    const found = this.#byName.get(name);
    if (found) return found;
    throw new Failure('rejected', 'BAD_MESSAGE', `The tag table has no tag "${name.slice(0, 100)}".`, {
      reached: false,
      details: { tag: name.slice(0, 100) },
    });
  }

  /** The plan that reads the named tags, or all of them when `names` is empty. */
  plan(names: readonly string[]): ReadPlan {
    const key = names.length === 0 ? '' : JSON.stringify(names);
    const known = this.#plans.get(key);
    if (known) return known;
    const tags = names.length === 0 ? this.#tags : [...new Set(names)].map((name) => this.tag(name));
    const plan = new ReadPlan(planReads(tags, this.#session.settings));
    const [oldest] = this.#plans.keys();
    if (this.#plans.size >= MAX_PLANS && oldest !== undefined) this.#plans.delete(oldest);
    this.#plans.set(key, plan);
    return plan;
  }
}

/** The tag table of a node; opened once for each session, because defaults and limits are the connection's. */
export class TagBook {
  readonly #rows: readonly TagRow[];
  readonly #counting: Addressing;
  readonly #open = new WeakMap<Session, OpenBook>();

  /** Throws a `config` Failure that names every wrong row. */
  constructor(rows: readonly TagRow[], counting: Addressing) {
    this.#rows = rows;
    this.#counting = counting;
    resolveTags(rows, counting, { unit: 1, order: 'abcd' });
  }

  on(session: Session): OpenBook {
    let book = this.#open.get(session);
    if (!book) {
      book = new OpenBook(session, resolveTags(this.#rows, this.#counting, session.settings));
      this.#open.set(session, book);
    }
    return book;
  }
}
