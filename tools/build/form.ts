/** Static form rows. Node-RED fills inputs by id and turns references into selects; lib/editor does the rest. */
import { TYPED_TYPES, type Field, type Tab } from '../../lib/spec';
import { fieldKey, optionKey, type Texts } from './catalogue';
import { SHARED, forwards, type Component } from './model';

const TABS: readonly Tab[] = ['node', 'delivery', 'trace'];

export function template(component: Component, shared: Texts): string {
  const fields = Object.entries(component.fields);
  const used = TABS.filter((tab) => fields.some(([, field]) => tabOf(field) === tab));
  const panels = used.map((tab) => {
    const rows = fields
      .filter(([, field]) => tabOf(field) === tab)
      .map(([name, field]) => row(component, name, field, shared));
    return used.length === 1 ? rows.join('\n') : panel(component, tab, rows);
  });
  const list = used.length === 1 ? [] : [tabList(component, used)];
  return [
    `<div class="hf-form" data-holdfast="${component.type}">`,
    ...(forwards(component.declaration) ? ['<input type="hidden" id="node-input-outputs">'] : []),
    ...list,
    ...panels,
    '<div class="hf-live" role="status" aria-live="polite"></div>',
    '</div>',
  ].join('\n');
}

export function tabOf(field: Field): Tab {
  return field.tab ?? 'node';
}

function tabList({ base }: Component, tabs: readonly Tab[]): string {
  const buttons = tabs.map((tab, i) =>
    [
      `<button type="button" role="tab" class="hf-tab" id="hf-${base}-tab-${tab}" data-tab="${tab}"`,
      ` aria-controls="hf-${base}-panel-${tab}" aria-selected="${i === 0}" tabindex="${i === 0 ? 0 : -1}"`,
      `><span data-i18n="${SHARED}:ui.tabs.${tab}"></span><span class="hf-tab-mark" hidden></span></button>`,
    ].join(''),
  );
  const label = `data-i18n="[aria-label]${SHARED}:ui.tabs.label"`;
  return `<div class="hf-tabs" role="tablist" ${label}>${buttons.join('')}</div>`;
}

function panel({ base }: Component, tab: Tab, rows: readonly string[]): string {
  const hidden = tab === 'node' ? '' : ' hidden';
  const attributes = `id="hf-${base}-panel-${tab}" aria-labelledby="hf-${base}-tab-${tab}"${hidden}`;
  return `<div class="hf-panel" role="tabpanel" ${attributes}>\n${rows.join('\n')}\n</div>`;
}

function row(component: Component, name: string, field: Field, shared: Texts): string {
  const key = fieldKey(component, name, field, shared);
  const id = inputId(component, name);
  const wide = isWide(field) ? ' hf-wide' : '';
  return [
    `<div class="form-row hf-row${wide}" data-field="${name}" data-kind="${field.kind}">`,
    `<label for="${id}" id="hf-label-${id}" data-i18n="${key}.label"></label>`,
    `<div class="hf-control">${control(name, field, id, key)}</div>`,
    `<button type="button" class="hf-info" aria-expanded="false" aria-controls="hf-help-${id}">`,
    '<i class="fa fa-question-circle-o" aria-hidden="true"></i></button>',
    `<div class="hf-message" id="hf-message-${id}" hidden></div>`,
    `<div class="hf-help" id="hf-help-${id}" hidden data-i18n="${key}.help"></div>`,
    '</div>',
  ].join('');
}

function inputId({ role }: Component, name: string): string {
  return `${role === 'connector' ? 'node-config-input' : 'node-input'}-${name}`;
}

/** Tables, lists and code take the whole width below their label. */
function isWide(field: Field): boolean {
  if (field.kind === 'table' || field.kind === 'list') return true;
  return (field.kind === 'text' || field.kind === 'secret') && field.multiline !== undefined;
}

function control(name: string, field: Field, id: string, key: string): string {
  const described = `aria-describedby="hf-message-${id} hf-help-${id}"`;
  switch (field.kind) {
    case 'bool':
      return `<input type="checkbox" id="${id}" ${described}>`;
    case 'choice': {
      const options = Object.keys(field.options).map(
        (value) =>
          `<option value="${escape(value)}" data-i18n="${key}.options.${optionKey(value)}"></option>`,
      );
      return `<select id="${id}" ${described}>${options.join('')}</select>`;
    }
    case 'secret':
      return field.multiline
        ? `<textarea id="${id}" rows="3" class="hf-pem" spellcheck="false" ${described}></textarea>`
        : `<input type="password" id="${id}" ${described}>`;
    case 'typed':
      return (
        `<input type="text" id="${id}" ${described}>` +
        `<input type="hidden" id="${id}Type" value="${field.types[0] ?? TYPED_TYPES[0]}">`
      );
    case 'list':
    case 'table':
      return `<div class="hf-${field.kind}" role="group" aria-labelledby="hf-label-${id}" ${described}></div>`;
    case 'text':
      return textControl(field.multiline, field.placeholder !== undefined, id, key, described);
    case 'int':
    case 'number':
      return `<input type="text" inputmode="decimal" id="${id}" class="hf-number" ${described}>${unit(field.unit, key)}`;
    case 'duration':
      return `<input type="text" id="${id}" class="hf-number" ${described}><span class="hf-unit hf-duration"></span>`;
    case 'ref':
      return `<input type="text" id="${id}" data-ref="${name}" style="width:100%" ${described}>`;
  }
}

function textControl(
  multiline: string | undefined,
  hasPlaceholder: boolean,
  id: string,
  key: string,
  described: string,
): string {
  const placeholder = hasPlaceholder ? ` data-i18n="[placeholder]${key}.placeholder"` : '';
  if (!multiline) return `<input type="text" id="${id}" ${described}${placeholder}>`;
  const style = multiline === 'pem' ? ' class="hf-pem" spellcheck="false"' : '';
  return `<textarea id="${id}" rows="3"${style} ${described}${placeholder}></textarea>`;
}

function unit(text: string | undefined, key: string): string {
  if (!text) return '';
  const translated = /^[a-z]{3,}/.test(text) ? ` data-i18n="${key}.unit"` : '';
  return `<span class="hf-unit"${translated}>${escape(text)}</span>`;
}

export function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
