/** Statements that the node's author wrote, with values from the message. */
import { Failure } from '../../../lib/core';
import type { Chunked, Patch } from '../../../lib/roles';
import type { Statement } from '../dialects/types';
import { bind } from '../engine/bind';
import { scan } from '../engine/scan';
import type { Context } from './context';
import { rowObjects } from './result';

const MOST_STATEMENTS = 10_000;

export async function query({ values, session, call }: Context): Promise<Patch> {
  const statement = bind(scan(values.sql, session.dialect.name), values.params, session.dialect);
  const result = await session.use(call.scope, (link) =>
    values.access === 'read' ? link.read(statement) : link.run(statement),
  );
  return { payload: rowObjects(result, values.bigIntegers), rowCount: result.rowCount };
}

export function streamed({ values, session, call, clock }: Context): Chunked {
  const statement = bind(scan(values.sql, session.dialect.name), values.params, session.dialect);
  const parts = session.useEach(call.scope, (link) => link.stream(statement, values.partRows));
  async function* patches(): AsyncGenerator<Patch, void, undefined> {
    let expired = false;
    try {
      for await (const part of parts) {
        // Ends the result, and with it the connection's duty, when nobody asks for more.
        const timer = values.paced
          ? clock.timer(values.tickTimeout, () => {
              expired = true;
              void parts.return();
            })
          : undefined;
        try {
          yield { payload: rowObjects(part, values.bigIntegers), rowCount: part.rowCount };
        } finally {
          timer?.cancel();
        }
        if (expired) throw streamExpired();
      }
    } finally {
      await parts.return();
    }
  }
  return { chunks: patches(), paced: values.paced };
}

export async function transaction({ values, session, call }: Context): Promise<Patch> {
  const statements = listOf(values.statements).map((one, i) =>
    statementOf(one, i, values.params, session.dialect),
  );
  const sets = await session.use(call.scope, (link) => link.script(statements));
  const results = sets.map((set) => ({ rows: rowObjects(set, values.bigIntegers), rowCount: set.rowCount }));
  return { payload: results, rowCount: results.reduce((sum, one) => sum + one.rowCount, 0) };
}

function listOf(value: unknown): readonly unknown[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  if (list.length === 0 || list.length > MOST_STATEMENTS) {
    throw bad(
      `The transaction must hold 1 to ${MOST_STATEMENTS} statements; the message holds ${list.length}.`,
    );
  }
  return list;
}

function statementOf(
  one: unknown,
  index: number,
  common: unknown,
  dialect: Context['session']['dialect'],
): Statement {
  const { sql, params } =
    typeof one === 'object' && one !== null ? (one as { sql?: unknown; params?: unknown }) : { sql: one };
  if (typeof sql !== 'string')
    throw bad(`Statement ${index + 1} must be a text, or an object with "sql" and "params".`);
  return bind(scan(sql, dialect.name), params ?? common, dialect);
}

function bad(message: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', message, { reached: false });
}

function streamExpired(): Failure {
  const message = 'No message with msg.tick asked for the next part in time, so the result was closed.';
  return new Failure('rejected', 'SQL_STREAM_EXPIRED', message);
}
