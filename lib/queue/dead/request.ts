/** What one may ask of the dead letters: the same for the REST interface, the command and the node. */
import type { DeadFilter } from '../types';
import { badRequest, isUnlimited, readFilter, readWhole } from './filter';

/** A request that was understood. */
export type DeadRequest =
  | { readonly action: 'list'; readonly filter: DeadFilter; readonly after: number; readonly limit: number }
  | { readonly action: 'show'; readonly number: number }
  /** `message` is the edited text of exactly one letter. */
  | { readonly action: 'replay'; readonly filter: DeadFilter; readonly message: string | undefined }
  | { readonly action: 'purge'; readonly filter: DeadFilter };
export type DeadAction = DeadRequest['action'];

export const DEAD_ACTIONS: readonly DeadAction[] = ['list', 'show', 'replay', 'purge'];
/** Most letters of one page. */
export const LARGEST_PAGE = 500;
const USUAL_PAGE = 100;
const LAST = Number.MAX_SAFE_INTEGER;

/**
 * Reads a request of flat properties: the conditions of a filter, and `after` and `limit` for `list`, `number` for
 * `show`, `all` and `message` for `replay`, `all` for `purge`. Throws a Failure with the reason when it is not one.
 */
export function readRequest(action: DeadAction, raw: unknown, now: number): DeadRequest {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw badRequest('The request must be an object with the conditions of a filter.');
  }
  const given = raw as Readonly<Record<string, unknown>>;
  const own = (name: string): unknown => (Object.hasOwn(given, name) ? given[name] : undefined);
  switch (action) {
    case 'list': {
      const filter = readFilter(given, ['after', 'limit'], now);
      const after = readWhole('after', own('after') ?? 0, 0, LAST);
      return {
        action,
        filter,
        after,
        limit: readWhole('limit', own('limit') ?? USUAL_PAGE, 1, LARGEST_PAGE),
      };
    }
    case 'show':
      return { action, number: readWhole('number', onlyNumber(given), 1, LAST) };
    case 'replay': {
      const filter = deliberate(readFilter(given, ['all', 'message'], now), own('all'));
      return { action, filter, message: readMessage(own('message'), filter) };
    }
    case 'purge':
      return { action, filter: deliberate(readFilter(given, ['all'], now), own('all')) };
  }
}

function onlyNumber(given: Readonly<Record<string, unknown>>): unknown {
  const other = Object.keys(given).find((name) => name !== 'number');
  if (other !== undefined) throw badRequest('One dead letter is named by its "number" alone.');
  return given.number;
}

/** What changes something needs a condition, or the word "all"; both together contradict each other. */
function deliberate(filter: DeadFilter, all: unknown): DeadFilter {
  if (all !== undefined && typeof all !== 'boolean') throw badRequest('"all" must be true or false.');
  if (all === true && !isUnlimited(filter)) {
    throw badRequest('Name either conditions or "all", not both.');
  }
  if (all !== true && isUnlimited(filter)) {
    throw badRequest('Name the dead letters by at least one condition, or set "all" to true for every one.');
  }
  return filter;
}

/** Text as it was shown, or the object that the text stands for. */
function readMessage(message: unknown, filter: DeadFilter): string | undefined {
  if (message === undefined) return undefined;
  if (filter.numbers?.length !== 1 || Object.keys(filter).length !== 1) {
    throw badRequest('An edited message replaces exactly one dead letter: name it by "numbers" alone.');
  }
  if (typeof message === 'string') return message;
  if (typeof message === 'object' && message !== null && !Array.isArray(message))
    return JSON.stringify(message);
  throw badRequest('"message" must be the edited message: its JSON text, or an object.');
}
