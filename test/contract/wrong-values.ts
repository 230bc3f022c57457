/** For every field kind the values that must be refused, made from the declaration's own bounds. */
import { parseDuration, type Cell, type Field, type Fields, type RawConfig } from '../../lib/spec';
import { rawDefaults } from './samples';

export interface Wrong {
  readonly why: string;
  readonly value: unknown;
  /** The second property of a typed field. */
  readonly type?: unknown;
}

const OBJECTS: readonly Wrong[] = [
  { why: 'an object', value: {} },
  { why: 'a list in the place of a value', value: [[]] },
];
const PROTOTYPES = ['__proto__', 'constructor', 'toString'];

export function wrongValues(field: Field): readonly Wrong[] {
  switch (field.kind) {
    case 'secret':
      return [{ why: 'a number', value: 5 }, ...(field.optional ? [] : [{ why: 'nothing', value: '' }])];
    case 'ref':
      return field.optional ? [] : [{ why: 'nothing', value: '' }];
    case 'list':
      return [
        { why: 'text', value: 'a, b' },
        { why: 'a list of numbers', value: [1, 2] },
        {
          why: 'too many',
          value: Array.from({ length: (field.maxItems ?? 10_000) + 1 }, (_, i) => `item${i}`),
        },
      ];
    case 'table':
      return [
        { why: 'text', value: 'rows' },
        { why: 'a row that is null', value: [null] },
        { why: 'a row that is a list', value: [[]] },
        ...Object.entries(field.columns).flatMap(([name, cell]) => wrongCells(name, cell)),
      ];
    default:
      return wrongInCell(field);
  }
}

function wrongCells(name: string, cell: Cell): readonly Wrong[] {
  if (cell.showWhen) return [];
  return wrongInCell(cell).map(({ why, value, type }) => ({
    why: `${name}: ${why}`,
    value: [{ [name]: value, ...(type === undefined ? {} : { [`${name}Type`]: type }) }],
  }));
}

function wrongInCell(field: Cell): readonly Wrong[] {
  switch (field.kind) {
    case 'text':
      return [
        ...OBJECTS,
        ...(field.optional ? [] : [{ why: 'blank', value: '  ' }]),
        ...(field.maxLength === undefined
          ? []
          : [{ why: 'too long', value: 'x'.repeat(field.maxLength + 1) }]),
      ];
    case 'int':
    case 'number':
      return [
        ...OBJECTS,
        { why: 'a word', value: 'many' },
        { why: 'infinity', value: 'Infinity' },
        { why: 'not a number', value: NaN },
        ...(field.kind === 'int' ? [{ why: 'a fraction', value: 1.5 }] : []),
        ...(field.min === undefined ? [] : [{ why: 'too small', value: field.min - 1 }]),
        ...(field.max === undefined ? [] : [{ why: 'too large', value: String(field.max + 1) }]),
      ];
    case 'bool':
      return [...OBJECTS, { why: 'a word', value: 'maybe' }];
    case 'choice':
      return [
        ...OBJECTS,
        { why: 'an unknown option', value: 'no such option' },
        ...PROTOTYPES.map((value) => ({ why: value, value })),
      ];
    case 'duration':
      return [
        ...OBJECTS,
        { why: 'a word', value: 'soon' },
        { why: 'an unknown unit', value: '5 moons' },
        { why: 'negative', value: -1 },
        ...outOfBounds(field.min, field.max),
      ];
    case 'typed':
      return [
        { why: 'an unknown type', value: 'x', type: 'no such type' },
        { why: 'an object', value: {} },
        ...(field.types.includes('num') ? [{ why: 'a word for a number', value: 'many', type: 'num' }] : []),
        ...(field.types.includes('json') ? [{ why: 'bad JSON', value: '{', type: 'json' }] : []),
      ];
  }
}

function outOfBounds(min: string | undefined, max: string | undefined): readonly Wrong[] {
  const least = parseDuration(min ?? '') ?? 0;
  const most = parseDuration(max ?? '');
  return [
    ...(least > 0 ? [{ why: 'too short', value: `${least / 2}ms` }] : []),
    ...(most === undefined ? [] : [{ why: 'too long', value: most + 1 }]),
  ];
}

/** Default settings in which a field is shown. */
export function shownConfig(fields: Fields, name: string): RawConfig {
  const raw = rawDefaults(fields);
  return { ...raw, ...conditionsOf(fields, name, raw) };
}

/** What the fields above a field must hold so that it is shown. */
export function conditionsOf(fields: Fields, name: string, raw: RawConfig): RawConfig {
  const needed: RawConfig = {};
  const visit = (one: string): void => {
    for (const [parent, allowed] of Object.entries(fields[one]?.showWhen ?? {})) {
      if (parent in needed) continue;
      const fits = allowed.some((value) => String(value) === String(raw[parent]));
      needed[parent] = fits ? raw[parent] : allowed[0];
      visit(parent);
    }
  };
  visit(name);
  return needed;
}
