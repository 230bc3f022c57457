/** One browser page with Node-RED's editor, driven as a person would: dialogs, keys, Done, Deploy. */
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { FAINT } from './editor-contrast';

export type Theme = 'light' | 'dark';

export interface EditorPage {
  readonly page: Page;
  /** Every uncaught error of the page, and every console error. */
  readonly errors: readonly string[];
  /** Opens the dialog of a node; `config` for configuration nodes. */
  open(node: { readonly id: string; readonly type: string; readonly config: boolean }): Promise<void>;
  /** The settings that the open form shows, by input id. */
  shown(): Promise<Record<string, string>>;
  /** Clicks Done (or Update) and waits until the dialog is gone. */
  done(config: boolean): Promise<void>;
  deploy(): Promise<void>;
  /** Text of ours that is too faint, one line each: axe cannot tell inside the tray. */
  contrast(): Promise<readonly string[]>;
  /** Violations of WCAG 2 A and AA inside the open form, one line each. */
  axe(): Promise<readonly string[]>;
}

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
/** Node-RED's own resources that a page without a network cannot have. */
const IGNORED = /Failed to load resource|favicon/;

export interface PageOptions {
  /** Of the browser; Node-RED's editor follows it. */
  readonly locale?: string;
  /** Before the editor loads. */
  readonly prepare?: (page: Page) => Promise<void>;
}

export async function openEditor(
  browser: Browser,
  url: string,
  theme: Theme,
  { locale = 'en-US', prepare }: PageOptions = {},
): Promise<EditorPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale });
  await prepare?.(page);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !IGNORED.test(message.text())) errors.push(message.text());
  });
  await page.goto(url);
  await page.waitForFunction(
    'window.RED?.nodes?.node("holdfast-tab") ?? RED.nodes.workspace("holdfast-tab")',
  );
  await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
  if (theme === 'dark') await page.evaluate('document.documentElement.classList.add("nr-theme-dark")');
  await page.addScriptTag({ content: AXE });
  return { page, errors, ...actions(page) };
}

function actions(page: Page): Omit<EditorPage, 'page' | 'errors'> {
  const form = page.locator('.hf-form').last();
  return {
    async open({ id, type, config }) {
      const call = config
        ? `RED.editor.editConfig("", ${JSON.stringify(type)}, ${JSON.stringify(id)})`
        : `RED.editor.edit(RED.nodes.node(${JSON.stringify(id)}))`;
      await page.evaluate(call);
      await page.locator(`.hf-form[data-holdfast="${type}"]`).waitFor();
      await page.locator(okButton(config)).waitFor({ state: 'visible' });
      await page.waitForFunction(`document.querySelector('.hf-form label')?.textContent !== ''`);
      await settled(page);
    },
    shown: () => page.evaluate(SHOWN),
    async done(config) {
      await page.locator(okButton(config)).click();
      await form.waitFor({ state: 'detached' });
      await settled(page);
    },
    async deploy() {
      await page.locator('#red-ui-header-button-deploy').click();
      const confirm = page.locator('.red-ui-notification button.primary');
      const deployed = page.waitForFunction('RED.nodes.dirty() === false');
      await Promise.race([deployed, confirm.waitFor().catch(() => undefined)]);
      if (await confirm.isVisible()) await confirm.click();
      await deployed;
    },
    contrast: () => page.evaluate<readonly string[]>(FAINT),
    async axe() {
      const found = await page.evaluate<readonly Violation[]>(RUN_AXE);
      return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
    },
  };
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

const RUN_AXE = `axe.run('.hf-form', {
  resultTypes: ['violations'],
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
}).then((result) => result.violations)`;

const SHOWN = `Object.fromEntries([...document.querySelectorAll('.hf-form input, .hf-form select, .hf-form textarea')]
  .filter((input) => input.type !== 'file' && !input.closest('.hf-paste, .monaco-editor'))
  .map((input, i) => [input.id || i + ' ' + (input.getAttribute('aria-label') ?? ''),
    input.type === 'checkbox' ? String(input.checked) : input.value]))`;

function okButton(config: boolean): string {
  return config ? '#node-config-dialog-ok' : '#node-dialog-ok';
}

/** Trays slide in and out; a click in between would miss. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(
    `!document.querySelector('.red-ui-tray')?.getAnimations({ subtree: true }).length`,
  );
}
