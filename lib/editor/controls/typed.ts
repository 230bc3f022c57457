import type { TypedField } from '../../spec';
import { plain } from '../plain';
import type { Control, ControlContext } from './control';

/** Node-RED's TypedInput; the type stands in the hidden `<name>Type` input. */
export function typedControl(context: ControlContext<TypedField>): Control {
  const { field, row, changed } = context;
  const input = context.input as HTMLInputElement;
  const typeField = row.querySelector<HTMLInputElement>('input[type=hidden]');
  if (!typeField) throw new Error(`The row of ${context.name} has no type input.`);
  if (!typeField.value) typeField.value = field.default.type;
  const widget = $(input);
  widget.typedInput({ default: field.default.type, types: [...field.types], typeField });
  widget.typedInput('width', '100%');
  nameParts(row, field.label);
  return {
    target: input,
    get: () => ({ type: typeField.value, value: input.value }),
    set(value) {
      if (typeof value !== 'object' || value === null) return;
      const { type, value: text } = value as { type?: unknown; value?: unknown };
      widget.typedInput('type', typeof type === 'string' ? type : field.default.type);
      widget.typedInput('value', plain(text));
      changed();
    },
    raw: () => ({ value: input.value, type: typeField.value }),
  };
}

/** The widget's own input has no label of its own. */
function nameParts(row: HTMLElement, label: string): void {
  const described = row.querySelector('.hf-message')?.id ?? '';
  for (const inner of row.querySelectorAll<HTMLElement>('.red-ui-typedInput-container input')) {
    inner.setAttribute('aria-label', label);
    inner.setAttribute('aria-describedby', described);
  }
  for (const button of row.querySelectorAll<HTMLElement>('.red-ui-typedInput-type-select')) {
    button.setAttribute('aria-label', `${label}: ${button.textContent.trim()}`);
    button.setAttribute('role', 'button');
  }
  // Opens the larger editor of a JSON or JSONata value.
  for (const button of row.querySelectorAll('.red-ui-typedInput-option-expand')) {
    button.setAttribute('aria-label', `${label} …`);
  }
}
