import { isShown, type Columns, type TableField } from '../../spec';
import { parseDelimited } from '../csv';
import { iconButton, make, textButton } from '../dom';
import { emptyRow, savedRows, setCell, type Row } from '../rows';
import { say, sayProblem } from '../say';
import { checkTable } from '../table-check';
import { cellInput } from './cell';
import type { Control, ControlContext } from './control';
import { scrollHint } from './scroll-hint';
import { tableTools } from './table-tools';

/** Rows drawn at once; the rest waits behind a button, so that a long table opens quickly. */
const PAGE = 200;
/** Sentences shown below a table; the cells carry the others. */
const SHOWN = 3;

export function tableControl(context: ControlContext<TableField>): Control {
  return new Table(context).control();
}

class Table {
  readonly #context: ControlContext<TableField>;
  readonly #columns: Columns;
  readonly #box: HTMLElement;
  readonly #head = make('thead');
  readonly #body = make('tbody');
  readonly #empty = make('p', { class: 'hf-empty' }, say('table.empty'));
  readonly #more: HTMLButtonElement;
  #rows: Row[];
  #limit = PAGE;
  #visible: string[] = [];

  constructor(context: ControlContext<TableField>) {
    this.#context = context;
    this.#columns = context.field.columns;
    this.#rows = savedRows(context.saved ?? context.field.default, this.#columns);
    const box = context.row.querySelector<HTMLElement>('.hf-table');
    if (!box) throw new Error(`The row of ${context.name} has no place for its table.`);
    this.#box = box;
    this.#more = textButton('ellipsis-h', '', () => {
      this.#limit += PAGE;
      this.#draw();
    });
    const tools = tableTools({
      columns: this.#columns,
      fileName: `${context.name}.csv`,
      add: () => this.#insert(this.#rows.length, [emptyRow(this.#columns)]),
      insert: (rows, replace) => {
        if (replace) this.#rows = [];
        this.#insert(this.#rows.length, rows);
      },
      rows: () => this.#rows,
      announce: context.announce,
    });
    const label = { 'aria-label': context.field.label };
    const table = make('table', { class: 'hf-grid', ...label }, this.#head, this.#body);
    const scroll = make('div', { class: 'hf-scroll' }, table);
    box.append(scroll, scrollHint(scroll), this.#empty, this.#more, tools);
    this.#body.addEventListener('keydown', (event) => this.#key(event));
    this.#body.addEventListener('paste', (event) => this.#paste(event));
    this.#draw();
  }

  control(): Control {
    return {
      target: this.#box,
      get: () => this.#copy(),
      set: (value) => {
        this.#rows = savedRows(value, this.#columns);
        this.#draw();
        this.#context.changed();
      },
      raw: () => ({ value: this.#rows }),
      check: (config) => this.#check(config),
      save: (store) => store(this.#copy()),
    };
  }

  #copy(): Row[] {
    return this.#rows.map((row) => ({ ...row }));
  }

  /** Columns that no row needs stay away: a length is for strings only. */
  #shownColumns(): string[] {
    return Object.entries(this.#columns)
      .filter(([, { showWhen }]) => !showWhen || this.#rows.some((row) => isShown(showWhen, row)))
      .map(([name]) => name);
  }

  #draw(): void {
    this.#visible = this.#shownColumns();
    const heads = this.#visible.map((name) => {
      const column = this.#columns[name];
      const unit = column && 'unit' in column && column.unit ? ` (${column.unit})` : '';
      return make('th', { scope: 'col', title: column?.help }, `${column?.label ?? name}${unit}`);
    });
    const actions = make('th', { scope: 'col', class: 'hf-row-tools' });
    actions.append(make('span', { class: 'hf-hidden' }, say('table.actions')));
    this.#head.replaceChildren(make('tr', {}, ...heads, actions));
    this.#body.replaceChildren(...this.#rows.slice(0, this.#limit).map((row, i) => this.#line(row, i)));
    this.#empty.hidden = this.#rows.length > 0;
    this.#box.querySelector<HTMLElement>('.hf-scroll')?.toggleAttribute('hidden', this.#rows.length === 0);
    const rest = this.#rows.length - this.#limit;
    this.#more.hidden = rest <= 0;
    this.#more.textContent = say('table.more', { count: Math.min(PAGE, rest) });
  }

  #line(row: Row, index: number): HTMLTableRowElement {
    const cells = this.#visible.map((name) => {
      const column = this.#columns[name];
      if (!column || !isShown(column.showWhen, row)) return make('td', { class: 'hf-none' }, '–');
      const changed = (): void => this.#changed(name, row, index);
      return make('td', { 'data-kind': column.kind }, cellInput({ name, column, row, index, changed }));
    });
    const number = { row: index + 1 };
    const up = iconButton('arrow-up', say('table.up', number), () => this.#move(index, index - 1));
    const down = iconButton('arrow-down', say('table.down', number), () => this.#move(index, index + 1));
    up.disabled = index === 0;
    down.disabled = index === this.#rows.length - 1;
    const remove = iconButton('trash-o', say('table.remove', number), () => this.#remove(index));
    return make('tr', {}, ...cells, make('td', { class: 'hf-row-tools' }, up, down, remove));
  }

  /** Redraws only when the change shows or hides a cell. */
  #changed(name: string, row: Row, index: number): void {
    const steers = Object.values(this.#columns).some(
      ({ showWhen }) => showWhen && Object.hasOwn(showWhen, name),
    );
    if (steers) {
      if (this.#shownColumns().join() !== this.#visible.join()) this.#draw();
      else this.#body.children[index]?.replaceWith(this.#line(row, index));
      this.#focus(index, name);
    }
    this.#context.changed();
  }

  #insert(at: number, rows: readonly Row[]): void {
    this.#rows.splice(at, 0, ...rows);
    this.#limit = Math.max(this.#limit, Math.min(at + rows.length, this.#limit + PAGE));
    this.#draw();
    this.#focus(at);
    this.#context.changed();
  }

  #move(from: number, to: number): void {
    if (to < 0 || to >= this.#rows.length) return;
    const [row] = this.#rows.splice(from, 1);
    if (row) this.#rows.splice(to, 0, row);
    this.#draw();
    this.#focus(to);
    this.#context.announce(say('table.moved', { row: to + 1 }));
    this.#context.changed();
  }

  #remove(index: number): void {
    this.#rows.splice(index, 1);
    this.#draw();
    this.#focus(Math.min(index, this.#rows.length - 1));
    this.#context.announce(say('table.removed', { row: index + 1 }));
    this.#context.changed();
  }

  #focus(index: number, name?: string): void {
    const line = this.#body.children[index];
    const cell = line?.querySelector<HTMLElement>(name ? `[data-cell="${name}"]` : '[data-cell]');
    (cell ?? this.#box.querySelector<HTMLElement>('.hf-tools button'))?.focus();
  }

  /** Which cell an event came from. */
  #place(target: EventTarget | null): { index: number; name: string } | undefined {
    const cell = target instanceof HTMLElement ? target.closest<HTMLElement>('[data-cell]') : null;
    const name = cell?.dataset.cell;
    const line = cell?.closest('tr');
    return line && name ? { index: [...this.#body.children].indexOf(line), name } : undefined;
  }

  #key(event: KeyboardEvent): void {
    const place = this.#place(event.target);
    if (!place) return;
    const { index, name } = place;
    if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      this.#move(index, index + (event.key === 'ArrowUp' ? -1 : 1));
    } else if (event.key === 'Enter') {
      if (index + 1 === this.#rows.length) this.#insert(index + 1, [emptyRow(this.#columns)]);
      this.#focus(index + 1, name);
    } else return;
    event.preventDefault();
    // The cell may be redrawn by now, and Node-RED's shortcuts do not expect a target outside the page.
    event.stopPropagation();
  }

  /** Several cells on the clipboard fill the table from here on, as in a spreadsheet. */
  #paste(event: ClipboardEvent): void {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    const place = this.#place(event.target);
    if (!place || !/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    const names = this.#visible.slice(this.#visible.indexOf(place.name));
    parseDelimited(text).forEach((cells, i) => {
      const row = (this.#rows[place.index + i] ??= emptyRow(this.#columns));
      names.forEach((name, j) => {
        const column = this.#columns[name];
        const cell = cells[j];
        if (column && cell !== undefined) setCell(row, name, column, cell);
      });
    });
    this.#insert(this.#rows.length, []);
    this.#focus(place.index, place.name);
  }

  #check(config: Readonly<Record<string, unknown>>): readonly string[] {
    const { cells, whole } = checkTable(this.#context.field, this.#rows, config);
    for (const [index, line] of [...this.#body.children].entries()) {
      for (const input of line.querySelectorAll<HTMLElement>('[data-cell]')) {
        const problem = cells.get(index)?.get(input.dataset.cell ?? '');
        mark(input, problem ? sayProblem(problem) : '');
      }
    }
    const sentences = whole.map(sayProblem);
    if (whole.length === 0) {
      for (const [index, marks] of cells) {
        const place = say('table.row', { row: index + 1 });
        sentences.push(...[...marks.values()].map((problem) => `${place}: ${sayProblem(problem)}`));
      }
    }
    const rest = sentences.length - SHOWN;
    return rest > 0 ? [...sentences.slice(0, SHOWN), say('table.andMore', { count: rest })] : sentences;
  }
}

function mark(input: HTMLElement, sentence: string): void {
  input.classList.toggle('input-error', sentence !== '');
  input.toggleAttribute('aria-invalid', sentence !== '');
  if (sentence) input.setAttribute('aria-invalid', 'true');
  input.title = sentence;
}
