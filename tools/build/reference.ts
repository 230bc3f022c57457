/** The reference page of one component, as committed under docs/reference/. */
import type { Field } from '../../lib/spec';
import type { Texts } from './catalogue';
import { describe, type Language } from './help';
import { inputsOf, outputsOf, type Component } from './model';

export function referencePage(component: Component, own: Texts, shared: Texts): string {
  const { declaration, role, dir } = component;
  const language = { own, shared, english: shared };
  const blocks = [
    `# ${declaration.label}`,
    declaration.summary,
    table(
      ['Type', 'Role', 'Version', 'Inputs', 'Outputs', 'Folder'],
      [
        [
          `\`${declaration.type}\``,
          role,
          String(declaration.version),
          String(inputsOf(declaration)),
          outputsOf(declaration)
            .map((label, i) => label || String(i + 1))
            .join(', ') || '0',
          `[nodes/${dir}](../../nodes/${dir})`,
        ],
      ],
    ),
    '## Settings',
    settings(component, language),
    ...columns(component, language),
    ...(declaration.codes ? ['## Failure codes', codes(declaration.codes)] : []),
    ...(declaration.details ? ['## Details', declaration.details.trim()] : []),
  ];
  return blocks.join('\n\n') + '\n';
}

export function indexPage(components: readonly Component[]): string {
  const rows = components.map((one) => [
    `[${one.declaration.label}](${one.base}.md)`,
    one.role,
    one.declaration.summary,
  ]);
  return `# Reference\n\nGenerated from the declarations by \`npm run build\`.\n\n${table(['Node', 'Role', 'What it does'], rows)}\n`;
}

function settings(component: Component, language: Language): string {
  const rows = Object.entries(component.fields).map(([name, field]) => [
    `\`${name}\``,
    field.label,
    describe(component, name, field, language),
    bounds(field),
    field.override ? `\`msg.${field.override}\`` : '',
    field.help,
  ]);
  return table(['Setting', 'Label', 'Kind', 'Limits', 'Override', 'Meaning'], rows);
}

function columns(component: Component, language: Language): string[] {
  return Object.values(component.fields).flatMap((field) => {
    if (field.kind !== 'table') return [];
    const rows = Object.entries(field.columns).map(([name, column]) => [
      `\`${name}\``,
      column.label,
      describe(component, name, column, language).replace(/, default $/, ''),
      bounds(column),
      column.help,
    ]);
    return [`### ${field.label}`, table(['Column', 'Label', 'Kind', 'Limits', 'Meaning'], rows)];
  });
}

function bounds(field: Field): string {
  switch (field.kind) {
    case 'int':
    case 'number':
    case 'duration': {
      const { min, max } = field;
      if (min !== undefined && max !== undefined) return `${min} to ${max}`;
      if (min !== undefined) return `at least ${min}`;
      return max === undefined ? '' : `at most ${max}`;
    }
    case 'choice':
      return Object.keys(field.options).join(', ');
    default:
      return '';
  }
}

function codes(all: Readonly<Record<string, string>>): string {
  return table(
    ['Code', 'Meaning'],
    Object.entries(all).map(([code, text]) => [`\`${code}\``, text]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replace(/\|/g, '\\|').replace(/\s*\n\s*/g, ' ');
}
