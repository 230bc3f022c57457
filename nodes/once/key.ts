import { Failure, getPath, parsePath, type Message } from '../../lib/core';
import type { TypedValue } from '../../lib/spec';

const LONGEST = 200;

type Evaluate = (typed: TypedValue, msg: Message) => Promise<unknown>;

/** Compiles the setting; a path is read here, anything else by Node-RED. */
export function keySource(typed: TypedValue, evaluate: Evaluate): (msg: Message) => Promise<string> {
  if (typed.type !== 'msg') return async (msg) => keyOf(await evaluate(typed, msg), 'The expression');
  const path = parsePath(typed.value);
  return (msg) => Promise.resolve(keyOf(getPath(msg, path), `msg.${typed.value}`));
}

function keyOf(value: unknown, where: string): string {
  const key = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  if (typeof key === 'string' && key !== '' && key.length <= LONGEST) return key;
  throw new Failure('rejected', 'BAD_MESSAGE', `${where} ${complaint(key)}`, { reached: false });
}

function complaint(value: unknown): string {
  if (value === undefined || value === null || value === '') {
    return 'holds no key, so nobody can tell whether this message came before. Set one, or choose another property as the key.';
  }
  if (typeof value === 'string') {
    return `holds a key of ${value.length} characters; at most ${LONGEST} are allowed. Use a shorter one, such as a hash of it.`;
  }
  return `holds ${Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`} as the key; it must be a text or a number.`;
}
