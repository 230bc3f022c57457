/** The tabs Node, Delivery and Trace, after the WAI-ARIA tabs pattern with automatic activation. */

export interface Tabs {
  /** Marks tabs whose fields have problems. */
  mark(counts: ReadonlyMap<string, number>): void;
}

export function tabs(root: HTMLElement, onShow: () => void): Tabs {
  const buttons = [...root.querySelectorAll<HTMLElement>('[role=tab]')];
  const show = (chosen: HTMLElement, focus: boolean): void => {
    for (const button of buttons) {
      const active = button === chosen;
      button.setAttribute('aria-selected', String(active));
      button.tabIndex = active ? 0 : -1;
      const panel = root.querySelector(`#${button.getAttribute('aria-controls') ?? ''}`);
      panel?.toggleAttribute('hidden', !active);
    }
    if (focus) chosen.focus();
    onShow();
  };
  buttons.forEach((button, i) => {
    button.addEventListener('click', () => show(button, false));
    button.addEventListener('keydown', (event) => {
      const next = target(event.key, i, buttons.length);
      const chosen = next === undefined ? undefined : buttons[next];
      if (!chosen) return;
      event.preventDefault();
      show(chosen, true);
    });
  });
  return {
    mark(counts) {
      for (const button of buttons) {
        const count = counts.get(button.dataset.tab ?? '') ?? 0;
        const badge = button.querySelector<HTMLElement>('.hf-tab-mark');
        if (!badge) continue;
        badge.hidden = count === 0;
        badge.textContent = count === 0 ? '' : String(count);
      }
    },
  };
}

function target(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowRight':
      return (at + 1) % count;
    case 'ArrowLeft':
      return (at + count - 1) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
