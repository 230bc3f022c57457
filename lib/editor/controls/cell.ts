/** The input of one table cell. Plain inputs, because a tag table has thousands. */
import type { Cell } from '../../spec';
import { make } from '../dom';
import type { Row } from '../rows';
import { say } from '../say';

export interface CellContext {
  readonly name: string;
  readonly column: Cell;
  readonly row: Row;
  /** Counting from 0. */
  readonly index: number;
  readonly changed: () => void;
}

export function cellInput(context: CellContext): HTMLElement {
  const { column } = context;
  switch (column.kind) {
    case 'bool':
      return checkbox(context);
    case 'choice':
      return select(context, column.options);
    case 'typed':
      return typed(context, column.types);
    default:
      return textInput(context);
  }
}

function labelOf({ column, index }: CellContext): string {
  return say('table.cell', { column: column.label, row: index + 1 });
}

function textInput(context: CellContext): HTMLInputElement {
  const { column, name, row, changed } = context;
  const numeric = column.kind === 'int' || column.kind === 'number';
  const input = make('input', {
    type: 'text',
    'aria-label': labelOf(context),
    'data-cell': name,
    autocomplete: 'off',
    spellcheck: 'false',
    ...(numeric ? { inputmode: 'decimal' } : {}),
    ...(column.kind === 'text' && column.placeholder ? { placeholder: column.placeholder } : {}),
  });
  input.value = String(row[name] ?? '');
  input.addEventListener('input', () => {
    row[name] = input.value;
    changed();
  });
  return input;
}

function checkbox(context: CellContext): HTMLInputElement {
  const { name, row, changed } = context;
  const input = make('input', { type: 'checkbox', 'aria-label': labelOf(context), 'data-cell': name });
  input.checked = row[name] === true || row[name] === 'true';
  input.addEventListener('change', () => {
    row[name] = input.checked;
    changed();
  });
  return input;
}

/** A value that is no option keeps its place in the list, so that it is seen and named. */
function select(context: CellContext, options: Readonly<Record<string, string>>): HTMLSelectElement {
  const { name, row, changed } = context;
  const element = make('select', { 'aria-label': labelOf(context), 'data-cell': name });
  const value = String(row[name] ?? '');
  if (!Object.hasOwn(options, value)) element.append(new Option(value, value));
  for (const [option, text] of Object.entries(options)) element.append(new Option(text, option));
  element.value = value;
  element.addEventListener('change', () => {
    row[name] = element.value;
    changed();
  });
  return element;
}

function typed(context: CellContext, types: readonly string[]): HTMLElement {
  const { column, name, row, index, changed } = context;
  const input = textInput(context);
  const key = `${name}Type`;
  const label = say('table.valueType', { column: column.label, row: index + 1 });
  const kind = make('select', { class: 'hf-cell-type', 'aria-label': label });
  for (const type of types) kind.append(new Option(type, type));
  kind.value = String(row[key] ?? types[0] ?? '');
  kind.addEventListener('change', () => {
    row[key] = kind.value;
    changed();
  });
  return types.length === 1 ? input : make('span', { class: 'hf-cell-typed' }, kind, input);
}
