/** Texts of the editor's own controls and of problems, in the editor's language. */
import { fill, PROBLEM_TEXTS, type Problem } from '../spec/problem';
import { SHARED, textOf } from './specs';
import { UI_TEXTS } from './texts';

type Params = Readonly<Record<string, string | number>>;

/** A text of UI_TEXTS by its path, for example `table.add`. */
export function say(key: string, params: Params = {}): string {
  return fill(textOf(`${SHARED}:ui.${key}`, english(key)), params);
}

export function sayProblem(problem: Problem): string {
  return fill(textOf(`${SHARED}:problems.${problem.code}`, PROBLEM_TEXTS[problem.code]), problem.params);
}

function english(key: string): string {
  let at: unknown = UI_TEXTS;
  for (const part of key.split('.')) at = (at as Readonly<Record<string, unknown>>)[part];
  return typeof at === 'string' ? at : key;
}
