/** A PostgreSQL connection of pg. Statements go through the extended protocol: one at a time, values apart. */
import { atomically, inTransaction, script, tolerantly } from './shared';
import { postgresTypes } from './postgres-types';
import { Room } from './room';
import type { Link, ResultSet, Statement } from './types';

export interface PostgresConnection {
  query(config: object): Promise<{
    rows: unknown[][];
    rowCount: number | null;
    fields: readonly { name: string }[];
  }>;
}

export function postgresLink(connection: PostgresConnection): Link {
  const run = async ({ sql, values }: Statement, room = new Room()): Promise<ResultSet> => {
    const result = await connection.query({
      text: sql,
      values,
      rowMode: 'array',
      types: postgresTypes(room),
      // Without values pg would use the simple protocol, which accepts several statements.
      queryMode: 'extended',
    });
    return {
      columns: result.fields.map((field) => field.name),
      rows: result.rows,
      rowCount: result.rowCount ?? 0,
    };
  };
  const exec = (sql: string) => async (): Promise<void> => void (await run({ sql, values: [] }));
  const steps = {
    run,
    begin: (mode: 'read' | 'write') => exec(mode === 'read' ? 'BEGIN READ ONLY' : 'BEGIN')(),
    commit: exec('COMMIT'),
    rollback: exec('ROLLBACK'),
    savepoint: exec('SAVEPOINT holdfast'),
    rollbackToSavepoint: exec('ROLLBACK TO SAVEPOINT holdfast'),
  };
  return {
    run,
    read: (statement) => inTransaction(steps, 'read', () => run(statement)),
    script: (statements) => script(steps, statements),
    atomically: (statements) => atomically(steps, statements),
    tolerantly: (chunks) => tolerantly(steps, chunks),
    async *stream({ sql, values }, size) {
      await steps.begin('read');
      try {
        await run({ sql: `DECLARE holdfast NO SCROLL CURSOR FOR ${sql}`, values });
        for (let full = true; full;) {
          const part = await run({ sql: `FETCH FORWARD ${size} FROM holdfast`, values: [] });
          full = part.rows.length === size;
          if (part.rows.length > 0) yield part;
        }
      } finally {
        // Ends the cursor; nothing was written.
        await steps.rollback().catch(() => {});
      }
    },
  };
}
