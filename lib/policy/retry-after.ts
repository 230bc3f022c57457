/** A day: whoever asks for more is not asking for a pause. */
const LONGEST_MS = 86_400_000;
/** RFC 9110 section 5.6.7: IMF-fixdate, RFC 850 date and asctime date. */
const HTTP_DATE =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT|[A-Z][a-z]+day, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})$/;

/**
 * Reads a Retry-After header (RFC 9110 section 10.2.3): seconds, or a date compared with `nowMs` (wall clock).
 * Returns milliseconds between 0 and `capMs`; undefined when the header is neither.
 */
export function parseRetryAfter(
  header: string,
  nowMs: number,
  capMs: number = LONGEST_MS,
): number | undefined {
  const text = header.slice(0, 100).trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, capMs);
  if (!HTTP_DATE.test(text)) return undefined;
  // An asctime date carries no zone and means UTC.
  const at = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(0, at - nowMs), capMs);
}
