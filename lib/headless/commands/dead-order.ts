/** Reads the arguments of `holdfast dead-letters`. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DEAD_ACTIONS, FILTER_NAMES, type DeadAction } from '../../queue/dead';

export const USAGE = `holdfast dead-letters <action> [<number>...] [filters] [options]

list                 the dead letters, oldest first
show <number>        one of them with its history and its message
replay <number>...   puts them, or those that a filter names, back into queues
purge <number>...    removes them, or those that a filter names, for good

Filters; all that are given must hold:
--queue <name>   --node <id>   --code <code>   --kind <kind>
--id <id>        --key <key>
--since <time>   --before <time>   last failure: 2026-03-01T06:00Z, or 2h (ago)

Options:
-u, --userDir <dir>  the user directory of Node-RED, which may be running
                     (default ~/.node-red)
--all                every dead letter (replay)
--yes                every dead letter (purge)
--message <file>     replays one letter with the message of this file
--text               shows the message alone, for editing
--limit <count>      length of a list, at most 500 (default 100)
--after <number>     the list goes on behind this number
--json               for machines

Ends with 0 when it was done, 1 when it could not be done, and 2 when the
command is wrong.`;

export interface DeadOrder {
  readonly action: DeadAction;
  readonly userDir: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly json: boolean;
  readonly text: boolean;
}

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean', default: false } as const;
const FILTERS = FILTER_NAMES.filter((name) => name !== 'numbers');
const ONLY: Readonly<Record<string, readonly DeadAction[]>> = {
  all: ['replay', 'purge'],
  yes: ['purge'],
  message: ['replay'],
  text: ['show'],
  after: ['list'],
  limit: ['list'],
};

/** Throws an error whose message says what is wrong; undefined when help is asked for. */
export function readOrder(args: readonly string[]): DeadOrder | undefined {
  const { values: parsed, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...Object.fromEntries([...FILTERS, 'after', 'limit', 'message'].map((name) => [name, TEXT])),
      userDir: { type: 'string', short: 'u', default: join(homedir(), '.node-red') },
      help: { type: 'boolean', short: 'h', default: false },
      all: FLAG,
      yes: FLAG,
      json: FLAG,
      text: FLAG,
    },
  });
  const values: Readonly<Record<string, unknown>> = parsed;
  if (values.help === true) return undefined;
  const [word, ...numbers] = positionals;
  const action = DEAD_ACTIONS.find((one) => one === word);
  if (!action) throw new Error(USAGE);
  refuseForeign(action, values);
  const given = Object.fromEntries(
    [...FILTERS, 'after', 'limit'].filter((name) => name in values).map((name) => [name, values[name]]),
  );
  const { json, text, userDir } = values as { json: boolean; text: boolean; userDir: string };
  const request = { ...given, ...chosen(action, numbers, values, Object.keys(given).length > 0) };
  return { action, userDir: resolve(userDir), request, json, text };
}

/** An option that an action does not know must not be taken for understood. */
function refuseForeign(action: DeadAction, values: Readonly<Record<string, unknown>>): void {
  const foreign = Object.entries(ONLY).find(
    ([name, actions]) => values[name] !== undefined && values[name] !== false && !actions.includes(action),
  );
  if (foreign) throw new Error(`--${foreign[0]} belongs to ${foreign[1].join(' and ')}, not to ${action}.`);
}

/** The numbers, the whole, and the edited message. */
function chosen(
  action: DeadAction,
  numbers: readonly string[],
  { all, yes, message }: Readonly<Record<string, unknown>>,
  filtered: boolean,
): Record<string, unknown> {
  if (action === 'show') {
    if (numbers.length !== 1) throw new Error('Name the one dead letter to show, for example: show 17');
    return { number: numbers[0] };
  }
  const some = numbers.length > 0 ? { numbers } : {};
  if (action === 'list') return some;
  const edited = typeof message === 'string' ? { message: readFileSync(message, 'utf8') } : {};
  const limited = filtered || numbers.length > 0;
  if (action === 'replay') return { ...some, ...edited, ...(all === true ? { all } : {}) };
  if (!limited && yes !== true) {
    throw new Error(
      'This would remove every dead letter. Name some by number or filter, or confirm with --yes.',
    );
  }
  return limited ? { ...some, ...(all === true ? { all } : {}) } : { all: true };
}
