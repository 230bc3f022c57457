/** Hides the values of headers that carry credentials in the JSON text of a message. */
import { MASK } from '../../secrets/redact';

const NAME =
  /"(?:proxy-authorization|authorization|cookie|set-cookie|x-api-key|api-key|x-auth-token)"\s{0,9}:\s{0,9}(?=["[])/gi;
const MASKED = JSON.stringify(MASK);

/** One pass over the text, whatever a message holds: its author may be hostile, and it may have megabytes. */
export function maskHeaders(json: string): string {
  const parts: string[] = [];
  let done = 0;
  NAME.lastIndex = 0;
  for (let found = NAME.exec(json); found; found = NAME.exec(json)) {
    const start = NAME.lastIndex;
    const end = json[start] === '"' ? endOfText(json, start) : endOfList(json, start);
    parts.push(json.slice(done, start), MASKED);
    done = end;
    NAME.lastIndex = end;
  }
  return parts.length === 0 ? json : parts.join('') + json.slice(done);
}

/** Behind the closing quote; the end of the text when there is none. */
function endOfText(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    if (json[at] === '\\') at += 1;
    else if (json[at] === '"') return at + 1;
  }
  return json.length;
}

function endOfList(json: string, start: number): number {
  let depth = 0;
  for (let at = start; at < json.length;) {
    const sign = json[at];
    if (sign === '"') {
      at = endOfText(json, at);
      continue;
    }
    if (sign === '[') depth += 1;
    else if (sign === ']') depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return json.length;
}
