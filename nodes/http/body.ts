/** Turns a value into the bytes of a request and names their type. */
import { badMessage } from './template';

export type BodyFormat = 'json' | 'form' | 'text' | 'buffer' | 'none';

export interface Body {
  readonly data: string | Buffer;
  readonly type: string;
}

/** Undefined where nothing is to be sent: no value, or the format `none`. */
export function encodeBody(value: unknown, format: BodyFormat): Body | undefined {
  if (value === undefined || format === 'none') return undefined;
  switch (format) {
    case 'json':
      return { data: toJson(value), type: 'application/json' };
    case 'form':
      return { data: toForm(value), type: 'application/x-www-form-urlencoded' };
    case 'text':
      return { data: toText(value), type: 'text/plain; charset=utf-8' };
    case 'buffer':
      return { data: toBytes(value), type: 'application/octet-stream' };
  }
}

function toJson(value: unknown): string {
  if (value instanceof Uint8Array) {
    throw badMessage(
      'The body is a buffer and would become a list of numbers in JSON; choose the format Buffer.',
    );
  }
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'unknown reason';
    throw badMessage(`The body cannot be written as JSON: ${why}.`);
  }
  if (text === undefined) throw badMessage('The body is a function or a symbol, which JSON cannot express.');
  return text;
}

function toForm(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw badMessage('The body is not an object; a form needs one property for each field.');
  }
  const form = new URLSearchParams();
  for (const [name, field] of Object.entries(value)) {
    for (const one of Array.isArray(field) ? (field as unknown[]) : [field]) {
      if (one === undefined || one === null) continue;
      if (typeof one === 'object' || typeof one === 'function' || typeof one === 'symbol') {
        throw badMessage(`The form field ${JSON.stringify(name.slice(0, 60))} is neither text nor a number.`);
      }
      form.append(name, String(one));
    }
  }
  return form.toString();
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  throw badMessage('The body is not text; choose the format JSON for objects and Buffer for bytes.');
}

function toBytes(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value === 'string') return Buffer.from(value);
  throw badMessage('The body is not a buffer; choose the format JSON for objects.');
}
