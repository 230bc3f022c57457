/**
 * Colours come from Node-RED's variables alone, so that both themes (and others) fit. Its own secondary text
 * colour is too faint for small text in 4.1 (3.5 : 1), so muted text is mixed from the primary one.
 */

const CSS = `
.hf-form { --hf-label: 168px; --hf-line: var(--red-ui-secondary-border-color, GrayText); --hf-muted: color-mix(in srgb, var(--red-ui-primary-text-color, CanvasText) 85%, var(--red-ui-secondary-background, Canvas)); --hf-focus: var(--red-ui-form-input-focus-color, Highlight); color: var(--red-ui-primary-text-color, CanvasText); }
.hf-form [hidden] { display: none !important; }
.hf-tabs { display: flex; gap: 4px; margin: 0 0 14px; border-bottom: 1px solid var(--hf-line); }
.hf-tab { background: none; border: 0; border-bottom: 2px solid transparent; margin: 0 0 -1px; padding: 6px 12px; font: inherit; color: var(--hf-muted); cursor: pointer; }
.hf-tab:hover { color: var(--red-ui-primary-text-color, CanvasText); }
.hf-tab[aria-selected=true] { color: var(--red-ui-primary-text-color, CanvasText); border-bottom-color: var(--hf-focus); }
.hf-tab-mark { margin-left: 6px; padding: 0 6px; border-radius: 8px; font-size: 11px; border: 1px solid var(--red-ui-text-color-error, currentColor); color: var(--red-ui-text-color-error, currentColor); }
.hf-form .hf-row { display: grid; grid-template-columns: var(--hf-label) minmax(0, 1fr) 24px; column-gap: 8px; align-items: center; margin-bottom: 10px; }
.hf-form .hf-row > label { width: auto; margin: 0; overflow-wrap: anywhere; cursor: default; }
.hf-control { display: flex; align-items: center; gap: 8px; min-width: 0; }
.hf-form .hf-control > input[type=text], .hf-form .hf-control > input[type=password], .hf-form .hf-control > select, .hf-form .hf-control > textarea { width: 100%; flex: 1 1 auto; min-width: 0; margin: 0; box-sizing: border-box; }
.hf-form .hf-control > input.hf-number { flex: 0 1 140px; width: 140px; }
.hf-form .hf-control > input[type=checkbox] { width: auto; margin: 0; flex: none; }
.hf-form .hf-control > textarea { resize: vertical; font-size: 13px; }
.hf-form textarea.hf-pem { font-family: var(--red-ui-monospace-font, monospace); font-size: 12px; white-space: pre; }
.hf-form .hf-secret .hf-control { flex-direction: column; align-items: flex-start; }
.hf-form .hf-control .red-ui-typedInput-container { flex: 1 1 auto; min-width: 0; }
.hf-unit { color: var(--hf-muted); white-space: nowrap; }
.hf-info { background: none; border: 0; padding: 4px; margin: 0; line-height: 1; font-size: 15px; color: var(--hf-muted); cursor: pointer; border-radius: 3px; }
.hf-info:hover, .hf-info[aria-expanded=true] { color: var(--red-ui-primary-text-color, CanvasText); }
.hf-message, .hf-help { grid-column: 2 / 4; font-size: 12px; line-height: 1.45; margin-top: 4px; overflow-wrap: anywhere; }
.hf-message { color: var(--red-ui-text-color-error, currentColor); }
.hf-help { color: var(--hf-muted); }
.hf-help[data-override]::after { content: " " attr(data-override); }
.hf-wide > label { grid-column: 1 / 3; grid-row: 1; }
.hf-wide > .hf-info { grid-column: 3; grid-row: 1; }
.hf-wide > .hf-control { grid-column: 1 / 4; margin-top: 4px; }
.hf-wide > .hf-message, .hf-wide > .hf-help { grid-column: 1 / 4; }
.hf-code { flex: 1 1 auto; width: 100%; height: 150px; min-height: 60px; resize: vertical; overflow: hidden; border: 1px solid var(--red-ui-form-input-border-color, GrayText); border-radius: 4px; }
.hf-code.input-error { border-color: var(--red-ui-form-input-border-error-color, currentColor); }
.hf-table, .hf-list { flex: 1 1 auto; min-width: 0; }
.hf-scroll { overflow: auto; scroll-padding: 40px 92px 4px 120px; max-height: 420px; border: 1px solid var(--hf-line); border-radius: 4px; background: var(--red-ui-secondary-background, Canvas); }
.hf-grid { border-collapse: separate; border-spacing: 0; width: 100%; margin: 0; }
.hf-grid th { position: sticky; top: 0; z-index: 2; text-align: left; font-weight: normal; vertical-align: bottom; line-height: 1.25; padding: 4px 7px; border-bottom: 1px solid var(--hf-line); color: var(--hf-muted); background: var(--red-ui-tertiary-background, Canvas); }
.hf-grid td { padding: 2px; border-bottom: 1px solid var(--hf-line); white-space: nowrap; background: var(--red-ui-secondary-background, Canvas); }
.hf-grid tr:last-child td { border-bottom: 0; }
.hf-grid td.hf-none { text-align: center; color: var(--hf-muted); }
.hf-grid td[data-kind=bool] { text-align: center; }
.hf-form .hf-grid input[type=text], .hf-form .hf-grid select { width: 100%; margin: 0; height: 28px; padding: 2px 6px; box-sizing: border-box; border-color: transparent; background-color: transparent; }
.hf-form .hf-grid input[type=text]:hover, .hf-form .hf-grid select:hover { border-color: var(--red-ui-form-input-border-color, GrayText); }
.hf-form .hf-grid .input-error { border-color: var(--red-ui-form-input-border-error-color, currentColor) !important; }
.hf-grid td[data-kind=text] { min-width: 104px; }
.hf-grid th:first-child, .hf-grid td:first-child { position: sticky; left: 0; z-index: 1; }
.hf-grid th:first-child { z-index: 3; }
.hf-grid td[data-kind=int], .hf-grid td[data-kind=number], .hf-grid td[data-kind=duration] { min-width: 54px; }
.hf-grid td[data-kind=choice] { min-width: 92px; }
.hf-form .hf-grid td[data-kind=choice] select { width: auto; min-width: 100%; max-width: 144px; }
.hf-grid td[data-kind=typed] { min-width: 170px; }
.hf-form .hf-grid input[type=checkbox] { margin: 0; width: auto; }
.hf-cell-typed { display: flex; }
.hf-form .hf-grid select.hf-cell-type { flex: none; width: 76px; }
.hf-more-right .hf-row-tools { box-shadow: -6px 0 6px -4px var(--red-ui-shadow, GrayText); }
.hf-grid .hf-row-tools { border-left: 1px solid var(--hf-line); }
.hf-row-tools { position: sticky; right: 0; z-index: 1; width: 1%; text-align: right; }
.hf-grid th.hf-row-tools { z-index: 3; }
.hf-form .hf-icon { min-width: 24px; padding: 0 4px; margin: 0 0 0 2px; height: 24px; line-height: 22px; }
.hf-form .hf-icon:disabled { opacity: .4; cursor: default; }
.hf-form .hf-icon, .hf-form .hf-action { color: var(--red-ui-primary-text-color, CanvasText) !important; }
.hf-tools { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 6px; }
.hf-form .hf-action { padding: 0 8px; height: 26px; line-height: 24px; margin: 0; white-space: nowrap; }
.hf-empty { margin: 4px 0; font-size: 12px; color: var(--hf-muted); }
.hf-paste { margin-top: 6px; padding: 8px; border: 1px solid var(--hf-line); border-radius: 4px; }
.hf-form .hf-paste textarea { width: 100%; box-sizing: border-box; font-family: var(--red-ui-monospace-font, monospace); font-size: 12px; white-space: pre; margin: 0; }
.hf-form .hf-items { list-style: none; margin: 0; padding: 0; }
.hf-items li { display: flex; align-items: center; margin-bottom: 4px; }
.hf-form .hf-items input { flex: 1; margin: 0 2px 0 0; }
.hf-form :focus-visible { outline: 2px solid var(--hf-focus); outline-offset: 1px; }
.hf-hidden, .hf-live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

export function style(): void {
  const element = document.createElement('style');
  element.textContent = CSS;
  document.head.append(element);
}
