/** The part of Node-RED's editor that Holdfast uses. */

export interface CodeEditor {
  getValue(): string;
  setValue(text: string, cursor?: number): void;
  getSession(): { on(event: 'change', fn: () => void): void };
  resize(): void;
  destroy(): void;
  /** Monaco only. */
  updateOptions?(options: Readonly<Record<string, unknown>>): void;
}

export interface EditorNode {
  readonly id: string;
  readonly type: string;
  [property: string]: unknown;
}

interface Red {
  /** Translates `namespace:key`; gives the key back when there is no text. */
  _(key: string, params?: Readonly<Record<string, string | number>>): string;
  readonly nodes: {
    node(id: string): (EditorNode & { readonly valid?: boolean; readonly d?: boolean }) | null;
  };
  readonly editor: {
    createEditor(options: { id: string; mode: string; value: string }): CodeEditor;
  };
  readonly events: { on(name: string, fn: () => void): void };
}

/** jQuery, as far as Node-RED's own widgets need it. */
export interface Query {
  on(events: string, fn: (event: { readonly target: unknown }) => void): Query;
  off(): Query;
  trigger(event: string): Query;
  typedInput(options: TypedInputOptions): Query;
  typedInput(method: 'type' | 'value' | 'width', value: string): Query;
  typedInput(method: 'type' | 'value'): string;
}
export interface TypedInputOptions {
  readonly default: string;
  readonly types: readonly string[];
  readonly typeField: Element;
}

declare global {
  const RED: Red;
  const $: (element: Element) => Query;
  /** Set by the build: true in watch mode only. */
  const HOLDFAST_WATCH: boolean;
}
