/** Validation of a node outside its dialog: the red triangle on the canvas. */
import { isVisible, readSetting, type Fields } from '../spec';
import { referenceProblem } from './controls/simple';
import { plain } from './plain';
import { say, sayProblem } from './say';
import { checkTable } from './table-check';
import { isRow } from './rows';

/** True, or one sentence. `raw` holds every setting of the node, because conditions look at other fields. */
export function validateField(
  fields: Fields,
  name: string,
  raw: Readonly<Record<string, unknown>>,
): true | string {
  const field = fields[name];
  const value = raw[name];
  if (!field || !isVisible(fields, name, raw)) return true;
  if (field.kind === 'table' && Array.isArray(value) && value.every(isRow)) {
    const { cells, whole } = checkTable(field, value, raw);
    if (whole[0]) return sayProblem(whole[0]);
    for (const [index, marks] of cells) {
      for (const problem of marks.values()) {
        return `${field.label}, ${say('table.row', { row: index + 1 })}: ${sayProblem(problem)}`;
      }
    }
    return true;
  }
  const read = readSetting(field, name, value, raw[`${name}Type`], raw);
  const problem = 'value' in read ? undefined : read.problems[0];
  if (problem) return sayProblem(problem);
  return (field.kind === 'ref' && referenceProblem(plain(value), field.label)) || true;
}
