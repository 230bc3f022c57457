import type { TextField } from '../../spec';
import { make } from '../dom';
import { plain } from '../plain';
import type { CodeEditor } from '../red';
import type { Control, ControlContext } from './control';

const MODES: Readonly<Record<string, string>> = {
  sql: 'ace/mode/sql',
  json: 'ace/mode/json',
  mustache: 'ace/mode/handlebars',
  jsonata: 'ace/mode/jsonata',
};
/** Folding is computed late, even for a model that is gone by then; and these texts are short. */
const OPTIONS = { folding: false, minimap: { enabled: false }, scrollBeyondLastLine: false };

export function isCode(field: TextField): boolean {
  return field.multiline !== undefined && field.multiline in MODES;
}

/** The editor's code editor over a hidden textarea, which Node-RED fills and reads. Made when first shown. */
export function codeControl(context: ControlContext<TextField>): Control {
  const { field, row, changed } = context;
  const input = context.input as HTMLTextAreaElement;
  const box = make('div', { id: `${input.id}-code`, class: 'hf-code' });
  input.after(box);
  input.hidden = true;
  let editor: CodeEditor | undefined;
  const observer = new ResizeObserver(() => editor?.resize());

  const create = (): CodeEditor => {
    const mode = MODES[field.multiline ?? ''] ?? 'ace/mode/text';
    const made = RED.editor.createEditor({ id: box.id, mode, value: input.value });
    made.updateOptions?.(OPTIONS);
    made.getSession().on('change', () => {
      input.value = made.getValue();
      changed();
    });
    observer.observe(box);
    return made;
  };
  return {
    target: box,
    get: () => input.value,
    set(value) {
      input.value = plain(value);
      editor?.setValue(input.value, -1);
      changed();
    },
    raw: () => ({ value: input.value }),
    refresh() {
      if (!row.hidden) editor ??= create();
    },
    close() {
      observer.disconnect();
      editor?.destroy();
    },
  };
}
