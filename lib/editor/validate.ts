/** Validation of a node outside its dialog: the red triangle on the canvas. */
import { isVisible, readField, type Fields } from '../spec';
import { referenceProblem } from './controls/simple';
import { say, sayProblem } from './say';
import { checkTable } from './table-check';
import type { Row } from './rows';

/** True, or one sentence. `raw` holds all settings of the node, because conditions look at other fields. */
export function validateField(
  fields: Fields,
  name: string,
  raw: Readonly<Record<string, unknown>>,
  value: unknown,
): true | string {
  const field = fields[name];
  if (!field || !isVisible(fields, name, withDefaults(fields, raw))) return true;
  if (field.kind === 'table' && Array.isArray(value)) {
    const { cells, whole } = checkTable(field, value as Row[], name);
    if (whole[0]) return sayProblem(whole[0]);
    for (const [index, marks] of cells) {
      for (const problem of marks.values()) {
        return `${field.label}, ${say('table.row', { row: index + 1 })}: ${sayProblem(problem)}`;
      }
    }
    return true;
  }
  const read = readField(field, name, value, raw[`${name}Type`]);
  const problem = 'value' in read ? undefined : read.problems[0];
  if (problem) return sayProblem(problem);
  return (field.kind === 'ref' && referenceProblem(String(value), field.label)) || true;
}

/** A flow of an older version lacks settings that others depend on. */
function withDefaults(fields: Fields, raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const missing = raw[name] === undefined || raw[name] === '';
    all[name] = missing && (field.kind === 'choice' || field.kind === 'bool') ? field.default : raw[name];
  }
  return all;
}
