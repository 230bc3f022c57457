import type { Field, Problem } from '../../spec';

/** One field of an open form. */
export interface Control {
  /** As `HoldfastForm.get` gives it. */
  get(): unknown;
  set(value: unknown): void;
  /** The value as `readField` takes it; `rawType` of typed fields only. */
  raw(): { readonly value: unknown; readonly type?: string };
  /** Checks beyond the field as a whole (cells of a table); marks them and returns the sentences. */
  check?(config: Readonly<Record<string, unknown>>): readonly string[];
  /** The element that carries `aria-invalid`. */
  readonly target: HTMLElement;
  /** What Node-RED does not read from the inputs by itself. */
  save?(store: (value: unknown) => void): void;
  /** The text behind the input depends on the value (a parsed duration). */
  refresh?(): void;
  close?(): void;
}

export interface ControlContext<F extends Field = Field> {
  readonly field: F;
  readonly name: string;
  readonly row: HTMLElement;
  /** Node-RED's input of this field; missing for lists and tables. */
  readonly input: HTMLElement | null;
  /** What the node holds. */
  readonly saved: unknown;
  /** Tell the form that the value changed. */
  readonly changed: () => void;
  /** Says something to screen readers. */
  readonly announce: (text: string) => void;
}

export type Check = (problem: Problem) => string;
