/** Query parameters of the node's table and of the message. */
import type { Message } from '../../lib/core';
import { badMessage, compileTemplate, render, type Template } from './template';

export interface QueryPlan {
  readonly rows: readonly { readonly name: string; readonly value: Template }[];
}
type Pair = [string, string];

const MOST = 1000;

export function compileQuery(rows: readonly { readonly name: string; readonly value: string }[]): QueryPlan {
  return {
    rows: rows.map(({ name, value }) => ({ name, value: compileTemplate(value, `Query: ${name}`) })),
  };
}

/** Parameters of one message; of `more` (usually msg.query) arrays repeat a name and a name replaces its row. */
export function renderQuery(plan: QueryPlan, msg: Message, more: unknown): Pair[] {
  const given = morePairs(more);
  const replaced = new Set(given.map(([name]) => name));
  const pairs: Pair[] = [];
  for (const { name, value } of plan.rows) {
    if (!replaced.has(name)) pairs.push([name, render(value, msg, `Query: ${name}`, identity)]);
  }
  return given.length > 0 ? [...pairs, ...given] : pairs;
}

function morePairs(more: unknown): Pair[] {
  if (more === undefined || more === null) return [];
  if (typeof more !== 'object' || Array.isArray(more))
    throw badMessage('The message query is not an object.');
  const pairs: Pair[] = [];
  for (const [name, value] of Object.entries(more)) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (one === undefined || one === null) continue;
      if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') {
        throw badMessage(
          `The query parameter ${JSON.stringify(name.slice(0, 60))} is neither text nor a number.`,
        );
      }
      pairs.push([name, String(one)]);
      if (pairs.length > MOST) throw badMessage(`The message holds more than ${MOST} query parameters.`);
    }
  }
  return pairs;
}

const identity = (value: string): string => value;
