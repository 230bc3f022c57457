/** What is wrong with a table, cell by cell, found by the same functions that the runtime uses. */
import { isShown, readField, readSetting, type Problem, type TableField } from '../spec';

export interface TableProblems {
  /** By row, then by column. */
  readonly cells: ReadonlyMap<number, ReadonlyMap<string, Problem>>;
  /** Number of rows, repeated rows. */
  readonly whole: readonly Problem[];
}

/** `config` holds the other settings of the node, which may let a table stay empty. */
export function checkTable(
  field: TableField,
  rows: readonly Readonly<Record<string, unknown>>[],
  config: Readonly<Record<string, unknown>> = {},
): TableProblems {
  const cells = new Map<number, Map<string, Problem>>();
  rows.forEach((row, i) => {
    for (const [column, cell] of Object.entries(field.columns)) {
      if (!isShown(cell.showWhen, row)) continue;
      const read = readField(cell, column, row[column], row[`${column}Type`]);
      if ('value' in read) continue;
      const problem = read.problems[0];
      if (!problem) continue;
      const marks = cells.get(i) ?? new Map<string, Problem>();
      cells.set(i, marks.set(column, problem));
    }
  });
  if (cells.size > 0) return { cells, whole: [] };
  const read = readSetting(field, '', rows, undefined, config);
  const whole = 'value' in read ? [] : read.problems;
  for (const problem of whole) {
    const row = Number(problem.params.row) - 1;
    if (problem.code !== 'duplicate' || !field.unique) continue;
    cells.set(row, new Map(field.unique.map((column) => [column, problem])));
  }
  return { cells, whole };
}
