import type { ListField } from '../../spec';
import { iconButton, make, textButton } from '../dom';
import { plain } from '../plain';
import { say } from '../say';
import type { Control, ControlContext } from './control';

/** Short texts, one input each; Enter goes on to the next, and adds one at the end. */
export function listControl(context: ControlContext<ListField>): Control {
  const { field, row, saved, changed, announce } = context;
  const box = row.querySelector<HTMLElement>('.hf-list');
  if (!box) throw new Error(`The row of ${context.name} has no place for its list.`);
  let items = Array.isArray(saved) ? saved.map(plain) : [...field.default];
  const list = make('ol', { class: 'hf-items' });
  const inputs = (): HTMLInputElement[] => [...list.querySelectorAll('input')];

  const add = (): void => {
    items.push('');
    draw(items.length - 1);
    changed();
  };
  const move = (from: number, to: number): void => {
    const [item] = items.splice(from, 1);
    if (item !== undefined) items.splice(to, 0, item);
    draw(to);
    announce(say('table.moved', { row: to + 1 }));
    changed();
  };
  const remove = (i: number): void => {
    items.splice(i, 1);
    draw(Math.min(i, items.length - 1));
    changed();
  };
  const entry = (text: string, i: number): HTMLElement => {
    const label = say('list.entry', { label: field.label, row: i + 1 });
    const input = make('input', { type: 'text', 'aria-label': label, autocomplete: 'off' });
    input.value = text;
    input.addEventListener('input', () => {
      items[i] = input.value;
      changed();
    });
    input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      event.stopPropagation();
      if (i === items.length - 1) add();
      else inputs()[i + 1]?.focus();
    });
    const up = iconButton('arrow-up', say('list.up', { row: i + 1 }), () => move(i, i - 1));
    const down = iconButton('arrow-down', say('list.down', { row: i + 1 }), () => move(i, i + 1));
    up.disabled = i === 0;
    down.disabled = i === items.length - 1;
    const gone = iconButton('trash-o', say('list.remove', { row: i + 1 }), () => remove(i));
    return make('li', {}, input, up, down, gone);
  };
  const draw = (focus?: number): void => {
    list.replaceChildren(...items.map(entry));
    empty.hidden = items.length > 0;
    if (focus !== undefined) inputs()[focus]?.focus();
  };
  const empty = make('p', { class: 'hf-empty' }, say('list.empty'));
  box.append(list, empty, make('div', { class: 'hf-tools' }, textButton('plus', say('list.add'), add)));
  draw();
  return {
    target: box,
    get: () => [...items],
    set(value) {
      items = Array.isArray(value) ? value.map(plain) : [];
      draw();
      changed();
    },
    raw: () => ({ value: items }),
    save: (store) => store(items.map((item) => item.trim()).filter((item) => item !== '')),
  };
}
