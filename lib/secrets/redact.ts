import { secretForms } from './secret-forms';
import { redactValue } from './redact-deep';

export const MASK = '•••';
/** Shorter texts would blank out half of every log line. */
const SHORTEST = 4;
/** A runtime with more secrets than this forgets the oldest. */
const MOST = 2_000;

/** Credentials that nobody registered but that have a well-known shape. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [
    /(\bauthorization["']?\s{0,9}[:=]\s{0,9}["']?(?:(?:basic|bearer|digest|negotiate)\s{1,9})?)[^\s"',;]+/gi,
    `$1${MASK}`,
  ],
  [/(\bbearer\s{1,9})[\w.~+/=-]{8,}/gi, `$1${MASK}`],
  [/(:\/\/[^\s/?#:@]{0,200}:)[^\s/?#]{1,500}@/g, `$1${MASK}@`],
  [
    /([?&](?:access_token|refresh_token|client_secret|api_?key|password|token|sig)=)[^&\s"'#]+/gi,
    `$1${MASK}`,
  ],
];

/**
 * Blanks out known secrets wherever they would become visible: logs, errors, status, metrics. A secret is found
 * as itself, URL-encoded, JSON-escaped and in base64 (also inside a Basic header). Secrets below four
 * characters are not found.
 */
export class Redactor {
  /** Secret to how many owners registered it: two connections may share one password. */
  readonly #secrets = new Map<string, number>();
  #known: RegExp | undefined;
  #stale = false;

  add(secret: string): void {
    if (secret.length < SHORTEST) return;
    const owners = this.#secrets.get(secret) ?? 0;
    this.#secrets.set(secret, owners + 1);
    if (owners > 0) return;
    this.#stale = true;
    if (this.#secrets.size > MOST) {
      const [oldest] = this.#secrets.keys();
      if (oldest !== undefined) this.#secrets.delete(oldest);
    }
  }

  /** Undoes one `add`. */
  remove(secret: string): void {
    const owners = this.#secrets.get(secret);
    if (owners === undefined) return;
    if (owners > 1) this.#secrets.set(secret, owners - 1);
    else {
      this.#secrets.delete(secret);
      this.#stale = true;
    }
  }

  /** How many secrets are known; for leak tests. */
  get size(): number {
    return this.#secrets.size;
  }

  redact(text: string): string {
    const known = this.#expression();
    let out = known ? text.replace(known, MASK) : text;
    for (const [pattern, replacement] of PATTERNS) out = out.replace(pattern, replacement);
    return out;
  }

  /** A copy of plain data with every text (values and property names) redacted. Bounded in depth and size. */
  redactDeep(value: unknown): unknown {
    return redactValue(value, (text) => this.redact(text));
  }

  #expression(): RegExp | undefined {
    if (this.#stale) {
      this.#stale = false;
      const forms = new Set([...this.#secrets.keys()].flatMap(secretForms));
      // The longest first: of two forms that start alike the whole one must go.
      const sources = [...forms].sort((a, b) => b.length - a.length).map(escape);
      this.#known = sources.length > 0 ? new RegExp(sources.join('|'), 'g') : undefined;
    }
    return this.#known;
  }
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
