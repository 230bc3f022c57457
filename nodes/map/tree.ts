/** Object templates: JSON whose texts are templates. */
import { Trouble } from './trouble';
import { compileValue, type MustacheLibrary, type Scope } from './template';

type Make = (scope: Scope) => unknown;

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
const DEEPEST = 100;

/** A text that is one tag keeps the type of its value; a property without a value is left out. */
export function compileTree(source: string, mustache: MustacheLibrary): Make {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    throw new Trouble(`this is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null) throw new Trouble('this is no JSON object or array');
  return compile(value, mustache, 0);
}

function compile(value: unknown, mustache: MustacheLibrary, depth: number): Make {
  if (depth > DEEPEST) throw new Trouble('the object is nested too deeply');
  if (typeof value === 'string') return value.includes('{{') ? compileValue(value, mustache) : () => value;
  if (typeof value !== 'object' || value === null) return () => value;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => compile(item, mustache, depth + 1));
    return (scope) => items.map((make) => make(scope) ?? null);
  }
  const parts = Object.entries(value).map(([key, item]): [string, Make] => {
    if (FORBIDDEN.has(key)) throw new Trouble(`the property "${key}" would reach a prototype`);
    return [key, compile(item, mustache, depth + 1)];
  });
  return (scope) => {
    const result: Record<string, unknown> = {};
    for (const [key, make] of parts) {
      const made = make(scope);
      if (made !== undefined) result[key] = made;
    }
    return result;
  };
}
