import type { TextField } from '../../spec';
import { make } from '../dom';
import { plain } from '../plain';
import type { Control, ControlContext } from './control';

const MODES: Readonly<Record<string, string>> = {
  sql: 'ace/mode/sql',
  json: 'ace/mode/json',
  mustache: 'ace/mode/handlebars',
  jsonata: 'ace/mode/jsonata',
};

export function isCode(field: TextField): boolean {
  return field.multiline !== undefined && field.multiline in MODES;
}

/** The editor's code editor over a hidden textarea, which Node-RED fills and reads. */
export function codeControl(context: ControlContext<TextField>): Control {
  const { field, changed } = context;
  const input = context.input as HTMLTextAreaElement;
  const box = make('div', { id: `${input.id}-code`, class: 'hf-code' });
  input.after(box);
  input.hidden = true;
  const editor = RED.editor.createEditor({
    id: box.id,
    mode: MODES[field.multiline ?? ''] ?? 'ace/mode/text',
    value: input.value,
  });
  editor.getSession().on('change', () => {
    input.value = editor.getValue();
    changed();
  });
  const observer = new ResizeObserver(() => editor.resize());
  observer.observe(box);
  return {
    target: box,
    get: () => editor.getValue(),
    set(value) {
      editor.setValue(plain(value), -1);
      input.value = editor.getValue();
      changed();
    },
    raw: () => ({ value: editor.getValue() }),
    save() {
      input.value = editor.getValue();
    },
    close() {
      observer.disconnect();
      editor.destroy();
    },
  };
}
