/** The live preview of the map dialog: the result for a sample message, as you type. */
import mustache from 'mustache';
import { isFailure } from '../../lib/core/failure';
import type { Message } from '../../lib/core/message';
import type { HoldfastForm } from '../../lib/editor/types';
import { parse } from '../../lib/spec';
import { fields } from './fields';
import { evaluateHere } from './here';
import { compileProgram, type Program } from './program';
import { textOf } from './trouble';
import type { JsonataLibrary } from './expression';

export const texts = {
  title: 'Preview',
  sample: 'Sample message (JSON)',
  result: 'Result',
  evaluate: 'Evaluate expressions',
  heavy:
    'An expression could run away. In the runtime it has a time limit, but not in this page: press the button to evaluate it here.',
  badSample: 'The sample is no JSON object: __why__',
  noJsonata: 'This editor offers no JSONata, so expressions cannot be shown.',
};

const PAUSE_MS = 150;
const LONGEST_SHOWN = 20_000;

const SAMPLES = {
  message: {
    topic: 'line 1',
    payload: { name: ' press 7 ', temperature: '21.5', state: 1, values: [1, 2, 3] },
  },
  elements: {
    topic: 'line 1',
    payload: [
      { tag: 'temperature', value: 21.5, quality: 'good', unit: '°C' },
      { tag: 'pressure', value: 1.2, quality: 'good', unit: 'bar' },
    ],
  },
};

export function extend(form: HoldfastForm): void {
  const panel = createPanel({
    title: form.t('editor.title'),
    sample: form.t('editor.sample'),
    result: form.t('editor.result'),
    evaluate: form.t('editor.evaluate'),
  });
  form.row('timeLimit').after(panel.element);

  let edited = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let round = 0;
  let open = true;

  const refresh = async (forced: boolean): Promise<void> => {
    const mine = (round += 1);
    const shown = await preview(form, panel.sample(), forced);
    if (open && mine === round) panel.show(shown);
  };
  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void refresh(false), PAUSE_MS);
  };
  const suggest = (): void => {
    if (edited) return;
    const sample = form.get('each') === 'elements' ? SAMPLES.elements : SAMPLES.message;
    panel.setSample(JSON.stringify(sample, null, 2));
  };

  panel.onInput(() => {
    edited = true;
    later();
  });
  panel.onEvaluate(() => void refresh(true));
  form.onChange((field) => {
    if (field === 'each') suggest();
    later();
  });
  form.onClose(() => {
    open = false;
    clearTimeout(timer);
  });
  suggest();
  later();
}

interface Shown {
  readonly result: string;
  readonly problems: readonly string[];
  /** An expression waits for the button. */
  readonly waits: boolean;
}

async function preview(form: HoldfastForm, sample: string, forced: boolean): Promise<Shown> {
  const failed = (problems: readonly string[]): Shown => ({ result: '', problems, waits: false });
  try {
    const msg = readSample(sample);
    if (typeof msg === 'string') return failed([form.t('editor.badSample', { why: msg })]);
    const raw = Object.fromEntries(Object.keys(fields).map((name) => [name, form.get(name)]));
    const parsed = parse(fields, raw);
    if (!parsed.ok) {
      const said = form.problems();
      return failed(said.length > 0 ? said : parsed.problems.map(({ message }) => message));
    }
    const program = compileProgram(parsed.values, { mustache, jsonata: jsonataOf(form) });
    if (!forced && program.expressions.some(({ simple }) => !simple)) {
      return { result: '', problems: [form.t('editor.heavy')], waits: true };
    }
    const result = JSON.stringify(await run(program, msg), null, 2);
    const cut = result.length > LONGEST_SHOWN ? `${result.slice(0, LONGEST_SHOWN)}\n…` : result;
    return { result: cut, problems: [], waits: false };
  } catch (error) {
    const list = isFailure(error) ? error.details.problems : undefined;
    return failed(Array.isArray(list) ? list.map(String) : [textOf(error)]);
  }
}

async function run(program: Program, msg: Message): Promise<Message> {
  const inputs = program.inputs(msg);
  const outcomes = [];
  for (const job of program.jobs(msg, inputs)) outcomes.push(await evaluateHere(job, msg));
  return program.build(msg, inputs, outcomes);
}

/** The message, or why there is none. */
function readSample(text: string): Message | string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Message;
    return text.slice(0, 40);
  } catch (error) {
    return textOf(error);
  }
}

/** Node-RED's editor loads JSONata as a global; loading a second one would cost 300 kB. */
function jsonataOf(form: HoldfastForm): JsonataLibrary {
  const found = (globalThis as { jsonata?: unknown }).jsonata;
  if (typeof found === 'function') return found as JsonataLibrary;
  const missing = (): never => {
    throw new Error(form.t('editor.noJsonata'));
  };
  return missing;
}

// ── Elements ────────────────────────────────────────────────

interface PanelTexts {
  readonly title: string;
  readonly sample: string;
  readonly result: string;
  readonly evaluate: string;
}
interface Panel {
  readonly element: HTMLElement;
  sample(): string;
  setSample(text: string): void;
  show(shown: Shown): void;
  onInput(fn: () => void): void;
  onEvaluate(fn: () => void): void;
}

/** Colours come from Node-RED's variables, so that every theme fits. */
const BOX =
  'width: 100%; box-sizing: border-box; margin: 0; padding: 6px; font: 12px/1.45 var(--red-ui-monospace-font, monospace); ' +
  'white-space: pre-wrap; overflow-wrap: anywhere; overflow: auto; border: 1px solid var(--red-ui-form-input-border-color, GrayText); ' +
  'border-radius: 4px; color: var(--red-ui-form-text-color, CanvasText); background: var(--red-ui-form-input-background, Canvas); ';
const COLUMNS =
  'display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 8px; align-items: start;';
const HEIGHT = 'min-height: 140px; max-height: 320px; height: 180px; resize: vertical;';
const PROBLEMS =
  'color: var(--red-ui-text-color-error, currentColor); margin: 6px 0 0; padding-left: 18px; font-size: 12px;';

let panels = 0;

function createPanel(texts: PanelTexts): Panel {
  panels += 1;
  const id = `hf-map-preview-${panels}`;
  const sample = styled('textarea', BOX + HEIGHT);
  sample.id = `${id}-sample`;
  sample.spellcheck = false;
  const result = styled('pre', BOX + HEIGHT);
  result.tabIndex = 0;
  result.setAttribute('role', 'region');
  result.setAttribute('aria-label', texts.result);
  const problems = styled('ul', PROBLEMS);
  problems.setAttribute('aria-live', 'polite');
  const evaluate = document.createElement('button');
  evaluate.type = 'button';
  evaluate.className = 'red-ui-button red-ui-button-small';
  evaluate.textContent = texts.evaluate;
  evaluate.hidden = true;

  const element = styled('fieldset', 'margin: 14px 0 0; padding: 0; border: 0; min-width: 0;');
  const legend = styled(
    'legend',
    'font: inherit; font-weight: bold; margin: 0 0 6px; padding: 0; border: 0; color: inherit;',
  );
  legend.textContent = texts.title;
  const columns = styled('div', COLUMNS);
  columns.append(column(texts.sample, sample, sample.id), column(texts.result, result));
  element.append(legend, columns, problems, evaluate);

  return {
    element,
    sample: () => sample.value,
    setSample: (text) => {
      sample.value = text;
    },
    show: (shown) => {
      result.textContent = shown.result;
      problems.replaceChildren(...shown.problems.map(item));
      evaluate.hidden = !shown.waits;
    },
    onInput: (fn) => sample.addEventListener('input', fn),
    onEvaluate: (fn) => evaluate.addEventListener('click', fn),
  };
}

function column(text: string, control: HTMLElement, labels?: string): HTMLElement {
  const part = styled('div', 'min-width: 0;');
  const label = styled(labels ? 'label' : 'div', 'display: block; width: auto; margin: 0 0 4px;');
  label.textContent = text;
  if (labels) label.setAttribute('for', labels);
  part.append(label, control);
  return part;
}

function item(text: string): HTMLElement {
  const element = document.createElement('li');
  element.textContent = text;
  return element;
}

function styled<K extends keyof HTMLElementTagNameMap>(tag: K, css: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.style.cssText = css;
  return element;
}
