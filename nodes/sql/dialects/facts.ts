/** The SQL of each database, as far as Holdfast writes SQL itself. */
import type { ColumnType, Dialect, DialectName, UpsertParts } from './types';

const doubleQuoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const backQuoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
const bracketed = (name: string): string => `[${name.replaceAll(']', ']]')}]`;

/** Statements of up to `rows` rows and `values` values, the rest in one smaller statement. */
function largest(rows: number, values: number): Dialect['sizes'] {
  return (count, width) => {
    const size = Math.max(1, Math.min(rows, Math.floor(values / Math.max(1, width))));
    const sizes: number[] = [];
    for (let left = count; left > 0; left -= size) sizes.push(Math.min(left, size));
    return sizes;
  };
}

/** Powers of ten only: SQLite's statements stay prepared, so few different ones are worth more than long ones. */
function fewSizes(values: number): Dialect['sizes'] {
  return (count, width) => {
    const sizes: number[] = [];
    let left = count;
    for (const size of [100, 10, 1]) {
      if (size > 1 && size * width > values) continue;
      for (; left >= size; left -= size) sizes.push(size);
    }
    return sizes;
  };
}

function rest({ columns, conflict }: UpsertParts): string[] {
  return conflict.action === 'ignore' ? [] : columns.filter((column) => !conflict.keys.includes(column));
}

function insertInto(parts: UpsertParts, quote: Dialect['quote']): string {
  return `INSERT INTO ${parts.table} (${parts.columns.map(quote).join(', ')}) VALUES ${parts.tuples}`;
}

/** SQLite and PostgreSQL. */
function onConflict(parts: UpsertParts): string {
  const sets = rest(parts).map((column) => `${doubleQuoted(column)} = excluded.${doubleQuoted(column)}`);
  const keys = parts.conflict.keys.map(doubleQuoted).join(', ');
  const action = sets.length > 0 ? `DO UPDATE SET ${sets.join(', ')}` : 'DO NOTHING';
  return `${insertInto(parts, doubleQuoted)} ON CONFLICT (${keys}) ${action}`;
}

/** Not INSERT IGNORE, which hides every other error too. VALUES() is what MariaDB and MySQL both know. */
function onDuplicateKey(parts: UpsertParts): string {
  const sets = rest(parts).map((column) => `${backQuoted(column)} = VALUES(${backQuoted(column)})`);
  const key = backQuoted(parts.conflict.keys[0] ?? '');
  return `${insertInto(parts, backQuoted)} ON DUPLICATE KEY UPDATE ${sets.join(', ') || `${key} = ${key}`}`;
}

/** HOLDLOCK: without it two sessions can both find no match and both insert. */
function merge(parts: UpsertParts): string {
  const columns = parts.columns.map(bracketed);
  const on = parts.conflict.keys.map((key) => `t.${bracketed(key)} = s.${bracketed(key)}`).join(' AND ');
  const sets = rest(parts).map((column) => `t.${bracketed(column)} = s.${bracketed(column)}`);
  return (
    `MERGE ${parts.table} WITH (HOLDLOCK) AS t USING (VALUES ${parts.tuples}) AS s (${columns.join(', ')}) ON ${on}` +
    (sets.length > 0 ? ` WHEN MATCHED THEN UPDATE SET ${sets.join(', ')}` : '') +
    ` WHEN NOT MATCHED THEN INSERT (${columns.join(', ')}) VALUES (${columns.map((c) => `s.${c}`).join(', ')});`
  );
}

type Types = Readonly<Record<ColumnType, string>>;
const TYPES: Readonly<Record<DialectName, Types>> = {
  // Decimals and times as text: SQLite has neither, and a double would round a decimal.
  sqlite: {
    text: 'text',
    integer: 'integer',
    number: 'real',
    decimal: 'text',
    boolean: 'integer',
    time: 'text',
    json: 'text',
    binary: 'blob',
  },
  postgres: {
    text: 'text',
    integer: 'bigint',
    number: 'double precision',
    decimal: 'numeric',
    boolean: 'boolean',
    time: 'timestamptz',
    json: 'jsonb',
    binary: 'bytea',
  },
  mysql: {
    text: 'longtext',
    integer: 'bigint',
    number: 'double',
    decimal: 'decimal(38,10)',
    boolean: 'boolean',
    time: 'datetime(6)',
    json: 'json',
    binary: 'longblob',
  },
  mssql: {
    text: 'nvarchar(max)',
    integer: 'bigint',
    number: 'float',
    decimal: 'decimal(38,10)',
    boolean: 'bit',
    time: 'datetime2(6)',
    json: 'nvarchar(max)',
    binary: 'varbinary(max)',
  },
};
/** Long types cannot be part of a key in these databases. */
const KEY_TYPES: Readonly<Partial<Record<DialectName, Partial<Types>>>> = {
  mysql: { text: 'varchar(255)', binary: 'varbinary(255)' },
  mssql: { text: 'nvarchar(255)', binary: 'varbinary(255)' },
};

function columnType(dialect: DialectName): Dialect['columnType'] {
  return (type, key) => (key ? KEY_TYPES[dialect]?.[type] : undefined) ?? TYPES[dialect][type];
}

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  sqlite: {
    name: 'sqlite',
    label: 'SQLite',
    caseSensitive: false,
    quote: doubleQuoted,
    mark: () => '?',
    sizes: fewSizes(2000),
    oneRowPerKey: false,
    upsert: onConflict,
    columnType: columnType('sqlite'),
  },
  postgres: {
    name: 'postgres',
    label: 'PostgreSQL',
    caseSensitive: true,
    quote: doubleQuoted,
    mark: (n) => `$${n}`,
    sizes: largest(1000, 65_535),
    oneRowPerKey: true,
    upsert: onConflict,
    columnType: columnType('postgres'),
  },
  mysql: {
    name: 'mysql',
    label: 'MySQL',
    caseSensitive: false,
    quote: backQuoted,
    mark: () => '?',
    sizes: largest(1000, 65_535),
    oneRowPerKey: false,
    upsert: onDuplicateKey,
    columnType: columnType('mysql'),
  },
  mssql: {
    name: 'mssql',
    label: 'SQL Server',
    caseSensitive: false,
    quote: bracketed,
    mark: (n) => `@p${n - 1}`,
    // 2,100 parameters a request (some are the server's own), 1,000 rows a VALUES list.
    sizes: largest(1000, 2000),
    oneRowPerKey: true,
    upsert: merge,
    columnType: columnType('mssql'),
  },
};
