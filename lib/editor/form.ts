import { isVisible, readSetting, type Field, type Fields } from '../spec';
import type { Control, ControlContext } from './controls/control';
import { controlFor } from './controls';
import type { EditorNode } from './red';
import { say, sayProblem } from './say';
import { fillInput, settingsOf } from './settings';
import { textOf, type Spec } from './specs';
import { tabs, type Tabs } from './tabs';
import type { HoldfastForm } from './types';

/** One open dialog. */
export class Form implements HoldfastForm {
  readonly root: HTMLElement;
  readonly type: string;
  readonly #spec: Spec;
  readonly #fields: Fields;
  readonly #node: EditorNode;
  readonly #controls = new Map<string, Control>();
  readonly #rows = new Map<string, HTMLElement>();
  readonly #listeners = new Set<(field: string) => void>();
  readonly #endings: (() => void)[] = [];
  readonly #tabs: Tabs;
  readonly #settings: Readonly<Record<string, unknown>>;
  #problems: readonly string[] = [];
  #frame = 0;
  #ready = false;

  constructor(root: HTMLElement, spec: Spec, fields: Fields, node: EditorNode) {
    this.root = root;
    this.type = spec.type;
    this.#spec = spec;
    this.#fields = fields;
    this.#node = node;
    this.#settings = settingsOf(spec, node);
    for (const row of root.querySelectorAll<HTMLElement>('.hf-row')) this.#build(row);
    this.#tabs = tabs(root, () => this.resize());
    this.#ready = true;
    this.refresh();
  }

  get(field: string): unknown {
    return this.#controls.get(field)?.get();
  }

  set(field: string, value: unknown): void {
    this.#controls.get(field)?.set(value);
  }

  row(field: string): HTMLElement {
    const row = this.#rows.get(field);
    if (!row) throw new Error(`${this.type} has no field "${field}".`);
    return row;
  }

  onChange(fn: (field: string) => void): void {
    this.#listeners.add(fn);
  }

  onClose(fn: () => void): void {
    this.#endings.push(fn);
  }

  problems(): readonly string[] {
    return this.#problems;
  }

  t(key: string, params: Readonly<Record<string, string | number>> = {}): string {
    return textOf(`${this.#spec.set}:${key}`, key, params);
  }

  /** The settings as they stand in the form, in the shape in which Node-RED stores them. */
  raw(): Record<string, unknown> {
    const raw: Record<string, unknown> = {};
    for (const [name, control] of this.#controls) {
      const { value, type } = control.raw();
      raw[name] = value;
      if (type !== undefined) raw[`${name}Type`] = type;
    }
    return raw;
  }

  save(): void {
    for (const [name, control] of this.#controls) {
      control.save?.((value) => {
        this.#node[name] = value;
      });
    }
    this.#node.configVersion = this.#spec.version;
    this.#saveOutputs();
  }

  /** Node-RED reads the number from this input, and takes wires away with the output they leave from. */
  #saveOutputs(): void {
    const { outputs } = this.#spec;
    const input = document.querySelector<HTMLInputElement>('#node-input-outputs');
    if (outputs === undefined || !input) return;
    input.value = String(outputs + (this.get('undelivered') === 'fail' ? 0 : 1));
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    for (const end of this.#endings.splice(0)) end();
    for (const control of this.#controls.values()) control.close?.();
    this.#listeners.clear();
  }

  /** Node-RED's own widgets measure themselves when the tray changes its width. */
  resize(): void {
    window.dispatchEvent(new Event('holdfast-resize'));
  }

  /** Shows what is wanted, hides the rest, and puts each problem beside its field. */
  refresh(): void {
    if (!this.#ready) return;
    const raw = this.raw();
    const counts = new Map<string, number>();
    const all: string[] = [];
    for (const [name, row] of this.#rows) {
      const field = this.#fields[name];
      const control = this.#controls.get(name);
      if (!field || !control) continue;
      row.hidden = !isVisible(this.#fields, name, raw);
      control.refresh?.();
      const sentences = row.hidden ? [] : problemsOf(field, name, control, raw);
      all.push(...sentences);
      showMessage(row, control, sentences);
      if (sentences.length > 0) counts.set(field.tab ?? 'node', (counts.get(field.tab ?? 'node') ?? 0) + 1);
    }
    this.#problems = all;
    this.#tabs.mark(counts);
  }

  #build(row: HTMLElement): void {
    const name = row.dataset.field ?? '';
    const field = this.#fields[name];
    if (!field) return;
    this.#rows.set(name, row);
    const prefix = this.#spec.role === 'connector' ? 'node-config-input-' : 'node-input-';
    const changed = (): void => this.#changed(name);
    const input = row.querySelector<HTMLElement>(`#${prefix}${name}`);
    fillInput(row, input, field, name, this.#settings[name], this.#settings[`${name}Type`]);
    const context: ControlContext = {
      field,
      name,
      row,
      input,
      saved: this.#settings[name],
      changed,
      announce: (text) => this.#announce(text),
    };
    this.#controls.set(name, controlFor(context));
    helpButton(row, field);
    $(row).on('input change', changed);
  }

  #changed(name: string): void {
    if (!this.#ready) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.refresh());
    for (const listener of this.#listeners) listener(name);
  }

  #announce(text: string): void {
    const live = this.root.querySelector('.hf-live');
    if (live) live.textContent = text;
  }
}

function problemsOf(
  field: Field,
  name: string,
  control: Control,
  raw: Readonly<Record<string, unknown>>,
): readonly string[] {
  const cells = control.check?.(raw) ?? [];
  if (field.kind === 'table' || cells.length > 0) return cells;
  const { value, type } = control.raw();
  if (typeof value === 'string' && /^\$\{[A-Za-z_]\w*\}$/.test(value)) return [];
  const read = readSetting(field, name, value, type, raw);
  return 'value' in read ? [] : read.problems.map(sayProblem);
}

function showMessage(row: HTMLElement, control: Control, sentences: readonly string[]): void {
  const message = row.querySelector<HTMLElement>('.hf-message');
  const wrong = sentences.length > 0;
  if (message) {
    message.hidden = !wrong;
    message.replaceChildren(
      ...sentences.map((text) => Object.assign(document.createElement('div'), { textContent: text })),
    );
  }
  control.target.setAttribute('aria-invalid', String(wrong));
  control.target.classList.toggle('input-error', wrong);
  row.querySelector('.red-ui-typedInput-container')?.classList.toggle('input-error', wrong);
  row.classList.toggle('hf-wrong', wrong);
}

function helpButton(row: HTMLElement, field: Field): void {
  const button = row.querySelector<HTMLButtonElement>('.hf-info');
  const help = row.querySelector<HTMLElement>('.hf-help');
  if (!button || !help) return;
  const label = say('help', { label: field.label });
  button.setAttribute('aria-label', label);
  button.title = label;
  button.addEventListener('click', () => {
    help.hidden = !help.hidden;
    button.setAttribute('aria-expanded', String(!help.hidden));
  });
  if (field.override) {
    help.dataset.override = say('override', { property: field.override });
  }
}
