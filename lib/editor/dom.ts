/** Building elements without HTML strings: nothing a flow holds is ever parsed as markup. */

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

/** A button with an icon of the editor's icon font and a name for screen readers. */
export function iconButton(icon: string, label: string, onClick: () => void): HTMLButtonElement {
  const button = make(
    'button',
    { type: 'button', class: 'red-ui-button red-ui-button-small hf-icon', 'aria-label': label, title: label },
    make('i', { class: `fa fa-${icon}`, 'aria-hidden': 'true' }),
  );
  button.addEventListener('click', onClick);
  return button;
}

export function textButton(icon: string, label: string, onClick: () => void): HTMLButtonElement {
  const button = make(
    'button',
    { type: 'button', class: 'red-ui-button red-ui-button-small hf-action' },
    make('i', { class: `fa fa-${icon}`, 'aria-hidden': 'true' }),
    ` ${label}`,
  );
  button.addEventListener('click', onClick);
  return button;
}
