/** The buttons below a table: add, paste, import and export. */
import type { Columns } from '../../spec';
import { formatCsv, parseDelimited } from '../csv';
import { make, textButton } from '../dom';
import { cellsOf, rowsFrom, type Row } from '../rows';
import { say } from '../say';

/** A tag list of this size is a mistake (or an attack): the browser would stop answering. */
const LARGEST_FILE = 20_000_000;

export interface Tools {
  readonly columns: Columns;
  readonly fileName: string;
  readonly add: () => void;
  readonly insert: (rows: readonly Row[], replace: boolean) => void;
  readonly rows: () => readonly Row[];
  readonly announce: (text: string) => void;
}

export function tableTools(tools: Tools): HTMLElement {
  const panel = pastePanel(tools);
  const paste = textButton('clipboard', say('table.paste'), () => panel.open());
  const file = make('input', { type: 'file', accept: '.csv,.tsv,.txt,text/csv', hidden: true });
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? [];
    file.value = '';
    if (!chosen) return;
    if (chosen.size > LARGEST_FILE) tools.announce(say('table.tooLarge'));
    else void chosen.text().then((text) => panel.open(text));
  });
  const bar = make(
    'div',
    { class: 'hf-tools' },
    textButton('plus', say('table.add'), tools.add),
    paste,
    textButton('upload', say('table.import'), () => file.click()),
    textButton('download', say('table.export'), () => download(tools)),
    file,
  );
  return make('div', {}, bar, panel.element);
}

function pastePanel(tools: Tools): { element: HTMLElement; open(text?: string): void } {
  const area = make('textarea', { rows: 6, spellcheck: 'false', 'aria-label': say('table.pasteHint') });
  const note = make('p', { class: 'hf-empty', role: 'status' });
  const close = (): void => {
    element.hidden = true;
    area.value = '';
    note.textContent = '';
  };
  const apply = (replace: boolean): void => {
    const rows = rowsFrom(parseDelimited(area.value), tools.columns);
    if (rows.length === 0) {
      note.textContent = say('table.nothing');
      return;
    }
    close();
    tools.insert(rows, replace);
    tools.announce(say('table.added', { count: rows.length }));
  };
  const element = make(
    'div',
    { class: 'hf-paste', hidden: true },
    make('p', { class: 'hf-empty' }, say('table.pasteHint')),
    area,
    note,
    make(
      'div',
      { class: 'hf-tools' },
      textButton('check', say('table.apply'), () => apply(false)),
      textButton('refresh', say('table.replace'), () => apply(true)),
      textButton('times', say('table.cancel'), close),
    ),
  );
  return {
    element,
    open(text = '') {
      element.hidden = false;
      if (text) area.value = text;
      area.focus();
    },
  };
}

function download({ rows, columns, fileName }: Tools): void {
  const blob = new Blob([formatCsv(cellsOf(rows(), columns))], { type: 'text/csv' });
  const address = URL.createObjectURL(blob);
  const link = make('a', { href: address, download: fileName });
  link.click();
  URL.revokeObjectURL(address);
}
