/**
 * Field kinds. A field is declared once; from that one object come the TypeScript type, parsing, the editor
 * form, the catalogue, the help, the reference page and the fuzz inputs.
 */

/** Shown only when every named field of the same node holds one of the listed values. */
export type Condition = Readonly<Record<string, readonly (string | boolean)[]>>;

export interface FieldBase {
  /** Short noun phrase, sentence case, no full stop: "Unit id". */
  readonly label: string;
  /** One or more full sentences. */
  readonly help: string;
  readonly showWhen?: Condition;
  /** Message property (path) that replaces the configured value, for example `url` for `msg.url`. */
  readonly override?: string;
  /** Which editor tab. Default: node. */
  readonly tab?: Tab;
  /** An input may stay empty. Text is then '', everything else undefined. Default: false for text, numbers. */
  readonly optional?: boolean;
  /** The input may stay empty while this condition holds. */
  readonly optionalWhen?: Condition;
}
export type Tab = 'node' | 'delivery' | 'trace';

export interface TextField<O extends boolean = boolean> extends FieldBase {
  readonly kind: 'text';
  readonly default: string;
  readonly optional?: O;
  readonly maxLength?: number;
  /** Source of a regular expression that the whole text must match, with the sentence part shown when not. */
  readonly pattern?: { readonly source: string; readonly what: string };
  readonly placeholder?: string;
  /** A larger editor: plain lines or a language of the code editor. */
  readonly multiline?: 'text' | 'sql' | 'json' | 'mustache' | 'jsonata' | 'pem';
}
export interface NumberField extends FieldBase {
  readonly kind: 'int' | 'number';
  readonly default: number | undefined;
  readonly min?: number;
  readonly max?: number;
  /** Shown behind the input: "ms", "°C", "rows". */
  readonly unit?: string;
}
export interface BoolField extends FieldBase {
  readonly kind: 'bool';
  readonly default: boolean;
}
export interface ChoiceField<V extends string = string> extends FieldBase {
  readonly kind: 'choice';
  readonly default: V;
  /** Value to label. */
  readonly options: Readonly<Record<V, string>>;
}
/** Kept in Node-RED's encrypted credentials. May hold `${ENV}` or `file:/path`, resolved at start. */
export interface SecretField extends FieldBase {
  readonly kind: 'secret';
  readonly multiline?: 'pem';
}
/** Written as "250ms", "30s", "5m", "2h" or "1d"; parsed to milliseconds. */
export interface DurationField extends FieldBase {
  readonly kind: 'duration';
  readonly default: string;
  readonly min?: string;
  readonly max?: string;
}
export const TYPED_TYPES = [
  'msg',
  'flow',
  'global',
  'str',
  'num',
  'bool',
  'json',
  'date',
  'jsonata',
  'env',
  'bin',
] as const;
export type TypedType = (typeof TYPED_TYPES)[number];
/** Node-RED's TypedInput. Stored as `<name>` and `<name>Type`; evaluated for each message before the call. */
export interface TypedField extends FieldBase {
  readonly kind: 'typed';
  readonly default: { readonly type: TypedType; readonly value: string };
  readonly types: readonly TypedType[];
}
/** The parsed setting of a typed field. The role evaluates it; an adapter's call sees only the result. */
export interface TypedValue {
  readonly type: TypedType;
  readonly value: string;
}
/** A configuration node, by its type. The value is its id. */
export interface RefField extends FieldBase {
  readonly kind: 'ref';
  readonly to: string;
}
export type Cell = TextField | NumberField | BoolField | ChoiceField | DurationField | TypedField;
export interface ListField extends FieldBase {
  readonly kind: 'list';
  readonly default: readonly string[];
  readonly maxItems?: number;
}
export type Columns = Readonly<Record<string, Cell>>;
export type RawRow = Readonly<Record<string, string | number | boolean>>;
export interface TableField<C extends Columns = Columns> extends FieldBase {
  readonly kind: 'table';
  readonly columns: C;
  readonly default: readonly RawRow[];
  readonly minRows?: number;
  readonly maxRows?: number;
  /** Columns whose values, taken together, must differ from row to row. */
  readonly unique?: readonly (keyof C & string)[];
}

export type Field =
  | TextField
  | NumberField
  | BoolField
  | ChoiceField
  | SecretField
  | DurationField
  | TypedField
  | RefField
  | ListField
  | TableField;
export type Fields = Readonly<Record<string, Field>>;

/** The parsed value of one field. */
export type ValueOf<F> = F extends { kind: 'text' | 'secret' | 'ref' }
  ? string
  : F extends { kind: 'int' | 'number'; optional: true }
    ? number | undefined
    : F extends { kind: 'int' | 'number' }
      ? number
      : F extends { kind: 'bool' }
        ? boolean
        : F extends ChoiceField<infer V>
          ? V
          : F extends { kind: 'duration'; optional: true }
            ? number | undefined
            : F extends { kind: 'duration' }
              ? number
              : F extends { kind: 'typed' }
                ? TypedValue
                : F extends { kind: 'list' }
                  ? readonly string[]
                  : F extends TableField<infer C>
                    ? readonly { readonly [K in keyof C]: ValueOf<C[K]> }[]
                    : never;
/** The parsed settings of a node. */
export type ValuesOf<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };
/** The settings as one message sees them: overrides applied and typed fields evaluated. */
export type CallValuesOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends { kind: 'typed' } ? unknown : ValueOf<F[K]>;
};

type Spec<F> = Omit<F, 'kind'>;
type Optional<S> = S extends { optional: true } ? { optional: true } : unknown;

export const text = (spec: Spec<TextField>): TextField => ({ kind: 'text', ...spec });
export const int = <const S extends Spec<NumberField>>(
  spec: S,
): NumberField & { kind: 'int' } & Optional<S> =>
  ({ kind: 'int', ...spec }) as unknown as NumberField & { kind: 'int' } & Optional<S>;
export const number = <const S extends Spec<NumberField>>(
  spec: S,
): NumberField & { kind: 'number' } & Optional<S> =>
  ({ kind: 'number', ...spec }) as unknown as NumberField & { kind: 'number' } & Optional<S>;
export const bool = (spec: Spec<BoolField>): BoolField => ({ kind: 'bool', ...spec });
export const choice = <const V extends string>(
  spec: Omit<ChoiceField<V>, 'kind' | 'default'> & { readonly default: NoInfer<V> },
): ChoiceField<V> => ({ kind: 'choice', ...spec });
export const secret = (spec: Spec<SecretField>): SecretField => ({ kind: 'secret', ...spec });
export const duration = <const S extends Spec<DurationField>>(spec: S): DurationField & Optional<S> =>
  ({ kind: 'duration', ...spec }) as unknown as DurationField & Optional<S>;
export const typed = (spec: Spec<TypedField>): TypedField => ({ kind: 'typed', ...spec });
export const ref = (spec: Spec<RefField>): RefField => ({ kind: 'ref', ...spec });
export const list = (spec: Spec<ListField>): ListField => ({ kind: 'list', ...spec });
export const table = <const C extends Columns>(spec: Spec<TableField<C>>): TableField<C> => ({
  kind: 'table',
  ...spec,
});
