/** Texts with placeholders: `/orders/{payload.id}`. `{{` and `}}` stand for single braces. */
import { Failure, getPath, parsePath, type Message, type Path } from '../../lib/core';

type Part = string | { readonly text: string; readonly path: Path };

export interface Template {
  readonly source: string;
  readonly parts: readonly Part[];
  /** The whole text when there is no placeholder: nothing to do for a message. */
  readonly fixed: string | undefined;
}

const TOKEN = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g;

/** Throws a `config` Failure that names `label` when a placeholder is not a property path. */
export function compileTemplate(source: string, label: string): Template {
  const parts: Part[] = [];
  const literal = (text: string): void => {
    const last = parts.length - 1;
    const before = parts[last];
    if (typeof before === 'string') parts[last] = before + text;
    else parts.push(text);
  };
  for (const [token, name] of source.matchAll(TOKEN)) {
    if (name !== undefined) parts.push({ text: name, path: parsePath(name.trim()) });
    else if (token === '{' || token === '}') throw unbalanced(source, label);
    else literal(token === '{{' ? '{' : token === '}}' ? '}' : token);
  }
  const [first = ''] = parts;
  return { source, parts, fixed: parts.length <= 1 && typeof first === 'string' ? first : undefined };
}

/** Fills in the values of one message; a value that is missing or not a scalar fails the message. */
export function render(
  template: Template,
  msg: Message,
  label: string,
  encode: (value: string, name: string) => string,
): string {
  if (template.fixed !== undefined) return template.fixed;
  let text = '';
  for (const part of template.parts) {
    text +=
      typeof part === 'string' ? part : encode(scalar(getPath(msg, part.path), part.text, label), part.text);
  }
  return text;
}

function scalar(value: unknown, name: string, label: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  const what = value === undefined ? 'is missing' : 'is neither text nor a number';
  throw badMessage(`"${label}" needs msg.${name}, which ${what}.`, { property: name });
}

/** The message does not hold what the request needs; the peer has seen nothing. */
export function badMessage(sentence: string, details: Readonly<Record<string, unknown>> = {}): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', sentence, { details, reached: false });
}

export function badConfig(sentence: string): Failure {
  return new Failure('config', 'BAD_CONFIG', sentence, { reached: false });
}

function unbalanced(source: string, label: string): Failure {
  return badConfig(
    `"${label}" holds a brace without its partner: ${source.slice(0, 100)}. Write {payload.id} for a value of ` +
      'the message, {{ for a brace.',
  );
}
