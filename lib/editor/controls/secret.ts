import type { SecretField } from '../../spec';
import { textButton } from '../dom';
import { plain } from '../plain';
import { say } from '../say';
import type { Control, ControlContext } from './control';

/** What Node-RED shows in place of a saved password. */
const KEPT = '__PWRD__';

export function secretControl(context: ControlContext<SecretField>): Control {
  const input = context.input as HTMLInputElement | HTMLTextAreaElement;
  return context.field.multiline
    ? pemControl(context, input as HTMLTextAreaElement)
    : passwordControl(context, input);
}

function passwordControl(
  { changed }: ControlContext,
  input: HTMLInputElement | HTMLTextAreaElement,
): Control {
  input.autocomplete = 'new-password';
  return {
    target: input,
    get: () => (input.value === KEPT ? '' : input.value),
    set(value) {
      input.value = plain(value);
      changed();
    },
    raw: () => ({ value: input.value }),
  };
}

/** A saved key is never shown: the box stays empty, says that a value exists, and can be told to forget it. */
function pemControl({ changed, row }: ControlContext, input: HTMLTextAreaElement): Control {
  let kept = input.value === KEPT;
  const forget = textButton('trash-o', say('credentialForget'), () => {
    kept = false;
    show();
    changed();
    input.focus();
  });
  const show = (): void => {
    input.placeholder = kept ? say('credentialKept') : '-----BEGIN …-----';
    forget.hidden = !kept;
  };
  if (kept) input.value = '';
  input.after(forget);
  input.addEventListener('input', () => {
    if (input.value !== '') kept = false;
    show();
  });
  row.classList.add('hf-secret');
  show();
  return {
    target: input,
    get: () => input.value,
    set(value) {
      input.value = plain(value);
      kept = false;
      show();
      changed();
    },
    raw: () => ({ value: kept ? KEPT : input.value }),
    save() {
      if (kept) input.value = KEPT;
    },
  };
}
