/** One thing that is wrong with one setting. */
export interface Problem {
  readonly field: string;
  /** Key of the sentence in the catalogue (`problems.<code>`), for the editor's language. */
  readonly code: ProblemCode;
  readonly params: Readonly<Record<string, string | number>>;
  /** The English sentence, naming the field by its label. */
  readonly message: string;
}

/** English sentences; `{{label}}` is always there. */
export const PROBLEM_TEXTS = {
  required: '{{label}} is empty; enter a value.',
  notText: '{{label}} must be text.',
  tooLong: '{{label}} is longer than {{max}} characters.',
  pattern: '{{label}} must be {{what}}.',
  notNumber: '{{label}} must be a number, not "{{value}}".',
  notInteger: '{{label}} must be a whole number, not "{{value}}".',
  tooSmall: '{{label}} must be at least {{min}}, not {{value}}.',
  tooLarge: '{{label}} must be at most {{max}}, not {{value}}.',
  notBoolean: '{{label}} must be true or false, not "{{value}}".',
  notOption: '{{label}} must be one of {{options}}, not "{{value}}".',
  notDuration: '{{label}} must be a duration such as 250ms, 30s or 5m, not "{{value}}".',
  notTyped: '{{label}} has the type "{{value}}"; it must be one of {{options}}.',
  badJson: '{{label}} is not valid JSON: {{why}}.',
  notList: '{{label}} must be a list.',
  tooMany: '{{label}} has {{count}} entries; at most {{max}} are allowed.',
  tooFew: '{{label}} has {{count}} rows; at least {{min}} are needed.',
  notTable: '{{label}} must be a table.',
  notRow: '{{label}}, row {{row}} is not a table row.',
  duplicate: '{{label}}, row {{row}} repeats {{columns}} "{{value}}".',
  noReference: '{{label}} is not set; choose one or add a new one.',
  tooNew:
    'The settings were saved by a newer version of the palette ({{value}}, this is {{max}}); update the palette.',
  notObject: 'The settings of the node are not an object.',
} as const;
export type ProblemCode = keyof typeof PROBLEM_TEXTS;

export function problem(
  field: string,
  code: ProblemCode,
  params: Readonly<Record<string, string | number>>,
): Problem {
  return { field, code, params, message: fill(PROBLEM_TEXTS[code], params) };
}

export function fill(template: string, params: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(params[name] ?? ''));
}

/** What a person typed, short enough for a sentence. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = typeof value === 'string' ? value : (JSON.stringify(value) ?? typeof value);
  } catch {
    text = typeof value;
  }
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
