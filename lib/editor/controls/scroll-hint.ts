/** Says that a table goes on to the side: some systems hide their scroll bars, and the row's tools cover the edge. */
import { make } from '../dom';
import { say } from '../say';

/** A line below `scroll`, shown as long as columns are out of sight; the edge gets a shadow meanwhile. */
export function scrollHint(scroll: HTMLElement): HTMLElement {
  const hint = make('p', { class: 'hf-empty hf-more-columns', hidden: true });
  const look = (): void => {
    const hidden = hiddenColumns(scroll);
    scroll.classList.toggle('hf-more-right', hidden.length > 0);
    hint.hidden = hidden.length === 0;
    hint.textContent = hidden.length === 0 ? '' : say('table.columns', { columns: hidden.join(', ') });
  };
  scroll.addEventListener('scroll', look, { passive: true });
  const observer = new ResizeObserver(look);
  observer.observe(scroll);
  if (scroll.firstElementChild) observer.observe(scroll.firstElementChild);
  return hint;
}

/** Heads of the columns that begin beyond the visible part. */
function hiddenColumns(scroll: HTMLElement): string[] {
  const heads = [...scroll.querySelectorAll<HTMLElement>('th:not(.hf-row-tools)')];
  const tools = scroll.querySelector<HTMLElement>('th.hf-row-tools');
  if (!tools || scroll.clientWidth === 0) return [];
  const edge = tools.getBoundingClientRect().left;
  return heads
    .filter((head) => head.getBoundingClientRect().right > edge + 1)
    .map((head) => head.textContent);
}
