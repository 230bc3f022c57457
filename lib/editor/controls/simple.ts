/** Text, number, choice, duration, checkbox and reference: Node-RED reads and writes these inputs itself. */
import { formatDuration, parseDuration } from '../../spec/duration';
import { plain } from '../plain';
import { say } from '../say';
import type { Control, ControlContext } from './control';

type Input = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export function simpleControl({ input, changed }: ControlContext): Control {
  const element = input as Input;
  return {
    target: element,
    get: () => element.value,
    set(value) {
      element.value = plain(value);
      changed();
    },
    raw: () => ({ value: element.value }),
  };
}

export function boolControl({ input, changed }: ControlContext): Control {
  const element = input as HTMLInputElement;
  return {
    target: element,
    get: () => element.checked,
    set(value) {
      element.checked = value === true || value === 'true';
      changed();
    },
    raw: () => ({ value: element.checked }),
  };
}

/** Shows what was understood, so that "90 s" is seen to be "= 90s" and "5" is seen to miss its unit. */
export function durationControl(context: ControlContext): Control {
  const control = simpleControl(context);
  const hint = context.row.querySelector('.hf-duration');
  const element = context.input as HTMLInputElement;
  return {
    ...control,
    refresh() {
      if (!hint) return;
      const ms = parseDuration(element.value);
      const exact = ms === undefined ? '' : formatDuration(ms);
      hint.textContent =
        ms === undefined
          ? say('durationHint')
          : ms === 0 || exact === element.value.trim()
            ? ''
            : `= ${exact}`;
    },
  };
}

/** The select that Node-RED puts in place of the input; `_ADD_` means that nothing is chosen. */
export function refControl(context: ControlContext): Control {
  const element = context.input as HTMLSelectElement;
  const value = (): string => (element.value === '_ADD_' ? '' : element.value);
  const messageId = context.row.querySelector('.hf-message')?.id ?? '';
  element.setAttribute('aria-describedby', `${messageId} ${context.row.querySelector('.hf-help')?.id ?? ''}`);
  for (const button of context.row.querySelectorAll<HTMLElement>('a.red-ui-button')) makeReachable(button);
  return {
    target: element,
    get: value,
    set(next) {
      element.value = plain(next) || '_ADD_';
      $(element).trigger('change');
    },
    raw: () => ({ value: value() }),
    check: () => {
      const problem = referenceProblem(value(), context.field.label);
      return problem ? [problem] : [];
    },
  };
}

/** What is wrong with the node that a reference names, as far as the editor knows. */
export function referenceProblem(id: string, label: string): string | undefined {
  if (id === '' || id.startsWith('${')) return undefined;
  const node = RED.nodes.node(id);
  if (!node) return say('reference.missing', { label });
  if (node.d) return say('reference.disabled', { label });
  return node.valid === false ? say('reference.invalid', { label }) : undefined;
}

/** Node-RED's edit and add buttons are links without an address: no key reaches them. */
function makeReachable(button: HTMLElement): void {
  const adds = button.id.endsWith('-add');
  button.setAttribute('role', 'button');
  button.setAttribute('tabindex', '0');
  button.setAttribute('aria-label', say(adds ? 'reference.add' : 'reference.edit'));
  button.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    button.click();
  });
}
