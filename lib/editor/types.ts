/**
 * What a system's own `nodes/<x>/editor.ts` sees. It exports `extend(form: HoldfastForm): void`; the build
 * bundles it into the page of that folder's adapter, mapper, trigger and monitor, and `extend` runs once for
 * each opened dialog, after every field of the form is filled and enhanced.
 */
export interface HoldfastForm {
  /** The element that holds all rows of the dialog. */
  readonly root: HTMLElement;
  /** Node type, for example `holdfast-map`. One `editor.ts` may serve several types of its folder. */
  readonly type: string;
  /**
   * The value as it stands in the form now: a string for inputs, a boolean for checkboxes, `{ type, value }`
   * for typed fields, string[] for lists, an array of plain row objects for tables (numbers are strings until
   * they are parsed). A secret gives '' unless it was just typed. Undefined for an unknown field.
   */
  get(field: string): unknown;
  /** Shows a value, in the same shape that `get` returns, and tells every listener. */
  set(field: string, value: unknown): void;
  /** The row of a field: the place to insert an element before or after. Throws for an unknown field. */
  row(field: string): HTMLElement;
  /** Runs after each change of any field, with the field's name; typing counts. Ends with the dialog. */
  onChange(fn: (field: string) => void): void;
  /** What the form says is wrong now, in the editor's language; empty when the settings can be deployed. */
  problems(): readonly string[];
  /** A text of this node's catalogue, for example `t('editor.preview')`; `params` fill `__name__` in it. */
  t(key: string, params?: Readonly<Record<string, string | number>>): string;
  /** Runs when the dialog closes, by Done, Cancel or Delete. End timers and editors here. */
  onClose(fn: () => void): void;
}

/** The shape of a system's `editor.ts`. */
export interface EditorExtension {
  extend(form: HoldfastForm): void;
  /** English texts for `t`, by key without the leading `editor.`. They join the node's catalogue. */
  readonly texts?: Readonly<Record<string, string>>;
}
