/** Commands by message: run now, pause, resume, ledger. */
import { Failure, type Message } from '../../lib/core';

export const VERBS = ['run', 'pause', 'resume', 'ledger'] as const;
export type Verb = (typeof VERBS)[number];

export interface Command {
  readonly verb: Verb;
  /** Empty for the ledger. */
  readonly names: readonly string[];
}

/**
 * `msg.topic` is the command and `msg.payload` names one schedule, several, or (when it is no text) all.
 * Without a command in `msg.topic`, a schedule that payload or topic names runs now.
 */
export function readCommand({ topic, payload }: Message, known: readonly string[]): Command {
  const verb = VERBS.find((one) => one === topic);
  if (verb === 'ledger') return { verb, names: [] };
  if (verb) return { verb, names: namesFrom(payload, known) };
  const named = [payload, topic].find((one) => typeof one === 'string' && known.includes(one));
  if (typeof named === 'string') return { verb: 'run', names: [named] };
  const silent = (topic === undefined || topic === '') && typeof payload !== 'string';
  if (silent && known.length === 1) return { verb: 'run', names: known };
  const given = [payload, topic].find((one) => typeof one === 'string' && one !== '');
  if (typeof given === 'string') throw unknownName(given, known);
  throw badMessage(
    `The message names no schedule. Set msg.payload to one of ${listed(known)}, or msg.topic to ${listed(VERBS)}.`,
  );
}

function namesFrom(payload: unknown, known: readonly string[]): readonly string[] {
  const names = typeof payload === 'string' && payload !== '' ? [payload] : payload;
  if (!Array.isArray(names)) return known;
  for (const name of names as unknown[]) {
    if (typeof name !== 'string' || !known.includes(name)) throw unknownName(String(name), known);
  }
  return names as string[];
}

function unknownName(name: string, known: readonly string[]): Failure {
  return badMessage(`No schedule is called "${name.slice(0, 80)}". Known are ${listed(known)}.`);
}

function listed(names: readonly string[]): string {
  const some = names.slice(0, 10).map((name) => `"${name}"`);
  return names.length > some.length
    ? `${some.join(', ')} and ${names.length - some.length} more`
    : some.join(', ');
}

function badMessage(text: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', text, { reached: false });
}
