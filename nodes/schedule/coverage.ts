/**
 * Which spans of wall-clock time a schedule has already dealt with. A slot inside one never runs again,
 * however often the system clock is set back.
 */

/** Slots later than `from`, up to and including `to`. Milliseconds since 1970 UTC. */
export type Span = readonly [from: number, to: number];

/** Whether a stored or told value is a span. */
export function isSpan(value: unknown): value is Span {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [from, to] = value as [unknown, unknown];
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && (from as number) <= (to as number);
}

const MOST_SPANS = 32;

export class Coverage {
  #past: Span[];
  #from: number;
  #to: number;

  /** The last of the saved spans is the one that was growing. */
  constructor(now: number, saved: readonly Span[] = []) {
    const last = saved.at(-1) ?? [now, now];
    this.#past = saved.slice(0, -1);
    [this.#from, this.#to] = last;
  }

  /** Up to when slots were dealt with in the span that is growing now. */
  get to(): number {
    return this.#to;
  }

  get spans(): readonly Span[] {
    return [...this.#past, [this.#from, this.#to]];
  }

  extend(to: number): void {
    if (to > this.#to) this.#to = to;
  }

  /** Leaves the growing span as it is and starts another. */
  leap(from: number, to: number): void {
    if (this.#to > this.#from) this.#past = merge([...this.#past, [this.#from, this.#to]]);
    [this.#from, this.#to] = [from, to];
  }

  /** Takes over what another gateway dealt with. Nothing that was dealt with here is forgotten. */
  adopt(spans: readonly Span[], now: number): void {
    const told = spans.at(-1);
    if (!told) return;
    const own: Span = [this.#from, this.#to];
    // An empty span only says when this gateway started to look.
    const [current, other] = told[1] >= own[1] || own[0] === own[1] ? [told, own] : [own, told];
    this.#past = merge([...this.#past, ...spans.slice(0, -1), other].filter(([from, to]) => to > from));
    [this.#from, this.#to] = current;
    // A clock that is ahead of ours dealt with times that are still to come here.
    if (this.#to > now) this.leap(now, now);
  }

  /** The end of the earlier span that holds this time; undefined when it is new. */
  endOf(time: number): number | undefined {
    return this.#past.find(([from, to]) => time > from && time <= to)?.[1];
  }

  /** The end of the latest earlier span before this time. */
  endBefore(time: number): number | undefined {
    return this.#past.findLast(([, to]) => to <= time)?.[1];
  }
}

function merge(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && span[0] <= last[1]) merged[merged.length - 1] = [last[0], Math.max(last[1], span[1])];
    else merged.push(span);
  }
  return merged.slice(-MOST_SPANS);
}
