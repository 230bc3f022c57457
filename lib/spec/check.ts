/**
 * Reading one raw value. The editor and the runtime use the same functions, so a form that shows no error
 * deploys without one.
 */
import { parseDuration } from './duration';
import type {
  Cell,
  Columns,
  Field,
  ListField,
  NumberField,
  TableField,
  TextField,
  TypedField,
} from './fields';
import { problem, shown, type Problem, type ProblemCode } from './problem';

export type Read = { readonly value: unknown } | { readonly problems: readonly Problem[] };

/** Limits that hold even where a declaration sets none, so that no flow file can exhaust memory. */
const MAX_TEXT = 1_000_000;
const MAX_ITEMS = 10_000;
const MAX_ROWS = 50_000;

interface Where {
  readonly field: string;
  readonly label: string;
}
type Params = Record<string, string | number>;

const wrong = (where: Where, code: ProblemCode, params: Params = {}): Read => ({
  problems: [problem(where.field, code, { label: where.label, ...params })],
});

/**
 * Reads a raw setting. `raw` is what Node-RED stored: often a string. `rawType` is the second property of a
 * typed field. An empty or missing value becomes the default where the field is optional.
 */
export function readField(field: Field, name: string, raw: unknown, rawType?: unknown): Read {
  const where = { field: name, label: field.label };
  switch (field.kind) {
    case 'list':
      return readList(field, where, raw);
    case 'table':
      return readTable(field, where, raw);
    case 'secret':
      return raw === undefined || raw === null || raw === ''
        ? field.optional
          ? { value: '' }
          : wrong(where, 'required')
        : typeof raw === 'string'
          ? { value: raw }
          : wrong(where, 'notText');
    case 'ref':
      if (typeof raw === 'string' && raw !== '' && raw !== '_ADD_') return { value: raw };
      return field.optional ? { value: '' } : wrong(where, 'noReference');
    default:
      return readCell(field, where, raw, rawType);
  }
}

function readCell(field: Cell, where: Where, raw: unknown, rawType: unknown): Read {
  switch (field.kind) {
    case 'text':
      return readText(field, where, raw);
    case 'int':
    case 'number':
      return readNumber(field, where, raw);
    case 'bool':
      if (raw === undefined || raw === null || raw === '') return { value: field.default };
      if (raw === true || raw === 'true') return { value: true };
      if (raw === false || raw === 'false') return { value: false };
      return wrong(where, 'notBoolean', { value: shown(raw) });
    case 'choice': {
      if (raw === undefined || raw === null || raw === '') return { value: field.default };
      if (typeof raw === 'string' && Object.hasOwn(field.options, raw)) return { value: raw };
      return wrong(where, 'notOption', { value: shown(raw), options: Object.keys(field.options).join(', ') });
    }
    case 'duration': {
      const read = readDuration(raw);
      if (read === 'empty') {
        // A setting that an old flow does not have takes its default; one that was emptied stays empty.
        const emptied = field.optional && (typeof raw === 'string' || field.default === '');
        return emptied ? { value: undefined } : readDurationDefault(field, where);
      }
      if (read === undefined) return wrong(where, 'notDuration', { value: shown(raw) });
      return inRange(where, read, shown(raw), field.min, field.max, (t) => parseDuration(t) ?? 0);
    }
    case 'typed':
      return readTyped(field, where, raw, rawType);
  }
}

function readText(field: TextField, where: Where, raw: unknown): Read {
  if (raw === undefined || raw === null)
    return field.optional || field.default !== '' ? { value: field.default } : wrong(where, 'required');
  if (typeof raw !== 'string' && typeof raw !== 'number') return wrong(where, 'notText');
  const value = String(raw);
  if (value.trim() === '') return field.optional ? { value: '' } : wrong(where, 'required');
  const max = field.maxLength ?? MAX_TEXT;
  if (value.length > max) return wrong(where, 'tooLong', { max });
  if (field.pattern && !new RegExp(`^(?:${field.pattern.source})$`, 'u').test(value)) {
    return wrong(where, 'pattern', { what: field.pattern.what });
  }
  return { value };
}

function readNumber(field: NumberField, where: Where, raw: unknown): Read {
  if (raw === undefined || raw === null || (typeof raw === 'string' && raw.trim() === '')) {
    const missing = typeof raw !== 'string';
    if (missing && field.default !== undefined) return { value: field.default };
    return field.optional ? { value: undefined } : wrong(where, 'required');
  }
  const value = typeof raw === 'number' ? raw : typeof raw === 'string' ? Number(raw) : NaN;
  if (!Number.isFinite(value)) return wrong(where, 'notNumber', { value: shown(raw) });
  if (field.kind === 'int' && !Number.isSafeInteger(value))
    return wrong(where, 'notInteger', { value: shown(raw) });
  return inRange(where, value, shown(raw), field.min, field.max, (n) => n);
}

/** Bounds stay in the words of the declaration ("1s", 65535), so that the sentence reads as the form does. */
function inRange<B extends string | number>(
  where: Where,
  value: number,
  text: string,
  min: B | undefined,
  max: B | undefined,
  read: (bound: B) => number,
): Read {
  if (min !== undefined && value < read(min)) return wrong(where, 'tooSmall', { min, value: text });
  if (max !== undefined && value > read(max)) return wrong(where, 'tooLarge', { max, value: text });
  return { value };
}

function readDuration(raw: unknown): number | undefined | 'empty' {
  if (raw === undefined || raw === null) return 'empty';
  if (typeof raw === 'number') return Number.isFinite(raw) && raw >= 0 ? raw : undefined;
  if (typeof raw !== 'string') return undefined;
  return raw.trim() === '' ? 'empty' : parseDuration(raw);
}

function readDurationDefault(field: { default: string }, where: Where): Read {
  const value = parseDuration(field.default);
  return value === undefined ? wrong(where, 'required') : { value };
}

function readTyped(field: TypedField, where: Where, raw: unknown, rawType: unknown): Read {
  const type = rawType === undefined || rawType === null || rawType === '' ? field.default.type : rawType;
  if (!field.types.some((known) => known === type)) {
    return wrong(where, 'notTyped', { value: shown(rawType), options: field.types.join(', ') });
  }
  const missing = raw === undefined || raw === null;
  if (!missing && typeof raw !== 'string' && typeof raw !== 'number' && typeof raw !== 'boolean') {
    return wrong(where, 'notText');
  }
  const value = missing ? field.default.value : String(raw);
  if (value.length > MAX_TEXT) return wrong(where, 'tooLong', { max: MAX_TEXT });
  if (value === '' && type !== 'str' && type !== 'date' && !field.optional) return wrong(where, 'required');
  if (type === 'num' && value !== '' && !Number.isFinite(Number(value))) {
    return wrong(where, 'notNumber', { value: shown(value) });
  }
  if (type === 'json' && value !== '') {
    try {
      JSON.parse(value);
    } catch (error) {
      return wrong(where, 'badJson', { why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { value: { type, value } };
}

function readList(field: ListField, where: Where, raw: unknown): Read {
  if (raw === undefined || raw === null) return { value: field.default };
  if (!Array.isArray(raw) || raw.some((item) => typeof item !== 'string')) return wrong(where, 'notList');
  const value = (raw as string[]).map((item) => item.trim()).filter((item) => item !== '');
  const max = field.maxItems ?? MAX_ITEMS;
  if (value.length > max) return wrong(where, 'tooMany', { count: value.length, max });
  // A list that starts empty may stay empty.
  const needed = !field.optional && field.default.length > 0;
  return value.length === 0 && needed ? wrong(where, 'required') : { value };
}

function readTable(field: TableField, where: Where, raw: unknown): Read {
  const rows: unknown = raw === undefined || raw === null ? field.default : raw;
  if (!Array.isArray(rows)) return wrong(where, 'notTable');
  const max = field.maxRows ?? MAX_ROWS;
  if (rows.length > max) return wrong(where, 'tooMany', { count: rows.length, max });
  const min = field.minRows ?? 0;
  if (rows.length < min) return wrong(where, 'tooFew', { count: rows.length, min });
  const problems: Problem[] = [];
  const value = rows.map((row, i) => {
    const read = readRow(field.columns, where, row, i + 1);
    if ('problems' in read) problems.push(...read.problems);
    return 'value' in read ? (read.value as Record<string, unknown>) : {};
  });
  if (problems.length === 0) problems.push(...repeats(field, where, value));
  return problems.length > 0 ? { problems } : { value };
}

/** One row of a table; problems name the row and the column. */
export function readRow(columns: Columns, where: Where, row: unknown, number: number): Read {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    return wrong(where, 'notRow', { row: number });
  }
  const raw = row as Record<string, unknown>;
  const own = (name: string): unknown => (Object.hasOwn(raw, name) ? raw[name] : undefined);
  const problems: Problem[] = [];
  const value: Record<string, unknown> = {};
  for (const [name, column] of Object.entries(columns)) {
    if (!isShown(column.showWhen, raw)) {
      value[name] = defaultOf(column);
      continue;
    }
    const label = `${where.label}, row ${number}, ${column.label}`;
    const read = readCell(column, { field: where.field, label }, own(name), own(`${name}Type`));
    if ('value' in read) value[name] = read.value;
    else problems.push(...read.problems);
  }
  return problems.length > 0 ? { problems } : { value };
}

function repeats(field: TableField, where: Where, rows: readonly Record<string, unknown>[]): Problem[] {
  if (!field.unique) return [];
  const seen = new Set<string>();
  const problems: Problem[] = [];
  rows.forEach((row, i) => {
    const key = field.unique?.map((name) => String(row[name])).join(' / ') ?? '';
    if (seen.has(key)) {
      const columns = field.unique?.map((name) => field.columns[name]?.label ?? name).join(' and ') ?? '';
      problems.push(
        problem(where.field, 'duplicate', { label: where.label, row: i + 1, columns, value: shown(key) }),
      );
    }
    seen.add(key);
  });
  return problems;
}

/** Whether a condition holds over raw settings. A hidden field is not checked and takes its default. */
export function isShown(condition: Field['showWhen'], raw: Readonly<Record<string, unknown>>): boolean {
  if (!condition) return true;
  return Object.entries(condition).every(([name, allowed]) => {
    const value = Object.hasOwn(raw, name) ? raw[name] : undefined;
    // Flow files hold anything, also objects that cannot become text.
    const plain = typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number';
    return plain && allowed.some((one) => String(one) === String(value));
  });
}

const MISSING: ReadonlySet<ProblemCode> = new Set<ProblemCode>(['required', 'noReference', 'tooFew']);

/** `readField` among the other raw settings: where `optionalWhen` holds, an empty input takes the default. */
export function readSetting(
  field: Field,
  name: string,
  raw: unknown,
  rawType: unknown,
  config: Readonly<Record<string, unknown>>,
): Read {
  const read = readField(field, name, raw, rawType);
  if ('value' in read || !field.optionalWhen || !isShown(field.optionalWhen, config)) return read;
  return read.problems.every((one) => MISSING.has(one.code)) ? { value: defaultOf(field) } : read;
}

/** The parsed default of a field; what a hidden field holds. */
export function defaultOf(field: Field): unknown {
  switch (field.kind) {
    case 'secret':
    case 'ref':
      return '';
    case 'duration':
      return field.optional && field.default === '' ? undefined : parseDuration(field.default);
    case 'table': {
      const read = readTable({ ...field, minRows: 0 }, { field: '', label: field.label }, field.default);
      return 'value' in read ? read.value : [];
    }
    default:
      return field.default;
  }
}
