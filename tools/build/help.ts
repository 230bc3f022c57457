/** The help of one component in one language, from its catalogue. */
import type { Field } from '../../lib/spec';
import { fill } from '../../lib/spec/problem';
import { isShared, lookUp, optionKey, type Texts } from './catalogue';
import { forwards, inputsOf, outputsOf, type Component } from './model';

export interface Language {
  /** The component's catalogue in this language, complete (missing texts in English). */
  readonly own: Texts;
  readonly shared: Texts;
  /** The English shared catalogue: it decides which fields are shared. */
  readonly english: Texts;
}

export function helpPage(component: Component, language: Language): string {
  const body = helpMarkdown(component, language).replace(/<\/(script)/gi, '&lt;/$1');
  return `<script type="text/markdown" data-help-name="${component.type}">\n${body}</script>\n`;
}

export function helpMarkdown(component: Component, language: Language): string {
  const say = sayer(language);
  const blocks = [
    say.own('summary'),
    ...inputs(component, language),
    ...outputs(component, language),
    `### ${say.help('properties')}`,
    properties(component, language),
    ...(component.declaration.details ? [`### ${say.help('details')}`, say.own('details')] : []),
    ...failures(component, language),
  ];
  return blocks.join('\n\n') + '\n';
}

function inputs(component: Component, language: Language): string[] {
  const say = sayer(language);
  const overrides = Object.entries(component.fields).filter(([, field]) => field.override);
  if (inputsOf(component.declaration) === 0 || overrides.length === 0) return [];
  const lines = overrides.map(([name, field]) => {
    const label = fieldText(component, name, field, 'label', language);
    return `: ${field.override} (${say.help(`kinds.${field.kind}`)}) : ${say.help('overrides', { label })}`;
  });
  return [`### ${say.help('inputs')}`, lines.join('\n')];
}

function outputs(component: Component, language: Language): string[] {
  const say = sayer(language);
  const labels = outputsOf(component.declaration);
  const named = labels.filter(Boolean).map((_, i) => say.own(`outputs.${i}`));
  const reports = forwards(component.declaration);
  if (named.length === 0 && !reports) return [];
  const lines = [
    ...(named.length > 0 ? named : [say.help('result')]),
    ...(reports ? [say.help('reports')] : []),
  ];
  return [`### ${say.help('outputs')}`, lines.map((line, i) => `${i + 1}. ${line}`).join('\n')];
}

function properties(component: Component, language: Language): string {
  return Object.entries(component.fields)
    .map(([name, field]) => {
      const label = fieldText(component, name, field, 'label', language);
      const help = fieldText(component, name, field, 'help', language);
      return `: ${label} (${describe(component, name, field, language)}) : ${help}`;
    })
    .join('\n');
}

/** Kind and default, for example "duration, default 10s". */
export function describe(component: Component, name: string, field: Field, language: Language): string {
  const say = sayer(language);
  const kind = say.help(`kinds.${field.kind}`);
  if (field.kind === 'secret') return `${kind}, ${say.help('secret')}`;
  const value = defaultText(component, name, field, language);
  return value === '' ? kind : `${kind}, ${say.help('default', { value })}`;
}

function defaultText(component: Component, name: string, field: Field, language: Language): string {
  switch (field.kind) {
    case 'choice':
      return fieldText(component, name, field, `options.${optionKey(field.default)}`, language);
    case 'typed':
      return field.default.type === 'msg' ? `msg.${field.default.value}` : field.default.value;
    case 'int':
    case 'number':
      return field.default === undefined ? '' : `${field.default}${field.unit ? ` ${field.unit}` : ''}`;
    case 'text':
      return field.default.length > 40 || field.default.includes('\n') ? '' : field.default;
    case 'duration':
      return field.default;
    default:
      return '';
  }
}

function failures(component: Component, language: Language): string[] {
  const { role, codes } = component.declaration;
  if (role === 'connector' || role === 'monitor') return [];
  const say = sayer(language);
  const lines = Object.keys(codes ?? {}).map((code) => `: ${code} : ${say.own(`codes.${code}`)}`);
  return [
    `### ${say.help('failures')}`,
    say.help('failureNote'),
    ...(lines.length > 0 ? [lines.join('\n')] : []),
  ];
}

export function fieldText(
  component: Component,
  name: string,
  field: Field,
  part: string,
  { own, shared, english }: Language,
): string {
  const from = isShared(component, name, field, english) ? shared : own;
  return textAt(from, `fields.${name}.${part}`);
}

export function sayer({ own, shared }: Language) {
  return {
    own: (key: string): string => textAt(own, key),
    help: (key: string, params: Readonly<Record<string, string>> = {}): string =>
      fill(textAt(shared, `help.${key}`), params),
  };
}

function textAt(texts: Texts, key: string): string {
  const found = lookUp(texts, key);
  return typeof found === 'string' ? found : '';
}
