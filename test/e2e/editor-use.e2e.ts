/** Ways in which an engineer uses the dialogs: another language, a new connection, wide tables, the preview. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { discover } from '../../tools/build/discover';
import { startHost, type Host } from './editor-host';
import { openEditor } from './editor-page';
import { ROOT, RUNTIMES } from './editor-runtimes';

const { components } = discover(ROOT);
/** A row as a hand-written flow has it: the first column alone. */
const NODES = components.map(({ type, role, base, fields }, i) => {
  const node: Record<string, unknown> = { id: `holdfast-use-${i}`, type };
  if (role !== 'connector') Object.assign(node, { z: 'holdfast-tab', x: 200, y: 60 + 60 * i, wires: [] });
  for (const [name, field] of Object.entries(fields)) {
    if (field.kind === 'table') node[name] = [{ [Object.keys(field.columns)[0] ?? '']: 'first' }];
  }
  return { node, id: `holdfast-use-${i}`, type, base, fields, config: role === 'connector' };
});
const EMPTY_MAP = { id: 'holdfast-use-map', type: 'holdfast-map', config: false };
const FLOWS = [
  { id: 'holdfast-tab', type: 'tab', label: 'Use' },
  ...NODES.map(({ node }) => node),
  { ...EMPTY_MAP, z: 'holdfast-tab', x: 500, y: 60, wires: [], rules: [{ source: 'payload' }] },
];

function find(type: string): (typeof NODES)[number] {
  const found = NODES.find((one) => one.type === type);
  assert.ok(found, type);
  return found;
}

describe('editor in use', () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  });
  after(() => browser.close());

  // One version is enough: editor.e2e.ts opens every dialog in each.
  for (const runtime of RUNTIMES.slice(0, 1)) {
    describe(runtime.name, () => {
      let host: Host;
      before(async () => {
        host = await startHost({ ...runtime, root: ROOT, flows: FLOWS });
      });
      after(() => host.stop());

      it('speaks German in every dialog where the browser does', async () => {
        const editor = await openEditor(browser, host.url, 'light', { locale: 'de-DE' });
        for (const node of NODES) {
          await editor.open(node);
          const { left, german } = spoken(await editor.page.evaluate<string[]>(TEXTS), node.base);
          assert.deepEqual(left, [], `${node.type} has English texts`);
          assert.ok(german > 10, `${node.type} has ${german} German texts`);
          await editor.done(node.config);
        }
        assert.deepEqual(editor.errors, []);
        await editor.page.close();
      });

      it('gives a node the output for reports only while something reports', async () => {
        const editor = await openEditor(browser, host.url, 'light');
        const node = find('holdfast-http');
        const outputs = (): Promise<number> =>
          editor.page.evaluate<number>(`RED.nodes.node(${JSON.stringify(node.id)}).outputs`);
        for (const [choice, expected] of [
          ['store', 2],
          ['fail', 1],
          ['deadLetter', 2],
        ] as const) {
          await editor.open(node);
          await editor.page.locator('.hf-tab[data-tab=delivery]').last().click();
          await editor.page.locator('#node-input-undelivered').selectOption(choice);
          await editor.done(false);
          assert.equal(await outputs(), expected, choice);
        }
        assert.deepEqual(editor.errors, []);
        await editor.page.close();
      });

      it('shows the default of a cell that a row lacks', async () => {
        const editor = await openEditor(browser, host.url, 'light');
        let compared = 0;
        for (const node of NODES) {
          await editor.open(node);
          for (const [name, field] of Object.entries(node.fields)) {
            const row = editor.page.locator(`.hf-row[data-field=${name}]`);
            if (field.kind !== 'table' || !(await row.isVisible())) continue;
            for (const [column, cell] of Object.entries(field.columns).slice(1)) {
              const input = row.locator(`tbody tr [data-cell=${column}]`);
              if (cell.kind === 'typed' || cell.kind === 'bool' || (await input.count()) === 0) continue;
              assert.equal(
                await input.inputValue(),
                String(cell.default ?? ''),
                `${node.type}.${name}.${column}`,
              );
              compared += 1;
            }
          }
          await editor.done(node.config);
        }
        assert.ok(compared > 10, `${compared} cells`);
        assert.deepEqual(editor.errors, []);
        await editor.page.close();
      });

      it('names the columns of a wide table that are out of sight, until they are seen', async () => {
        const editor = await openEditor(browser, host.url, 'light');
        await editor.open(find('holdfast-modbus'));
        const table = editor.page.locator('.hf-row[data-field=tags]');
        const hint = table.locator('.hf-more-columns');
        await hint.waitFor({ state: 'visible' });
        assert.match(await hint.innerText(), /see (Offset, )?Engineering unit\.$/);
        await table.locator('[data-cell=eu]').first().focus();
        await hint.waitFor({ state: 'hidden' });
        await editor.page.close();
      });

      it('adds a connection from within a node and returns with it chosen', async () => {
        const editor = await openEditor(browser, host.url, 'light');
        const { page } = editor;
        await editor.open(find('holdfast-http'));
        const select = page.locator('#node-input-connection');
        await page.locator('#node-input-btn-connection-add').focus();
        await page.keyboard.press('Enter');
        const form = page.locator('.hf-form[data-holdfast=holdfast-http-connection]');
        await form.waitFor();
        await form.locator('#node-config-input-name').fill('Added here');
        await form.locator('#node-config-input-baseUrl').fill('https://plant.example');
        await form.locator('#node-config-input-proxyPassword').fill('canary-secret');
        await page.locator('#node-config-dialog-ok').click();
        await form.waitFor({ state: 'detached' });
        assert.equal(await select.locator('option:checked').innerText(), 'Added here');
        await page.locator('#node-input-path').fill('/readings');
        await editor.done(false);
        await editor.deploy();
        const id = await page.evaluate<string>(`RED.nodes.node('${find('holdfast-http').id}').connection`);
        await page.reload();
        await page.waitForFunction(`window.RED?.nodes?.node('${id}')`);
        await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
        await editor.open({ id, type: 'holdfast-http-connection', config: true });
        assert.equal(await form.locator('#node-config-input-proxyPassword').inputValue(), '__PWRD__');
        assert.ok(!(await page.content()).includes('canary-secret'));
        assert.deepEqual(editor.errors, []);
        await page.close();
      });

      it('previews rules while they are typed, with what is wrong and what waits', async () => {
        const editor = await openEditor(browser, host.url, 'light');
        const { page } = editor;
        await editor.open(EMPTY_MAP);
        const rules = page.locator('.hf-row[data-field=rules]');
        const cell = (name: string) => rules.locator(`tbody tr [data-cell=${name}]`).first();
        await page.locator('textarea[id^=hf-map-preview]').fill('{"payload": {"f": 212, "list": [1, 2, 3]}}');
        await cell('source').fill('payload.f');
        await cell('target').fill('payload.celsius');
        await cell('transform').selectOption('unit');
        await cell('setting').fill('°F -> °C');
        await result(page, '"celsius": 100');

        await cell('setting').fill('°F -> bar');
        await problem(page, /°F/);
        await cell('setting').fill('°F -> °C');
        await cell('target').fill('__proto__.x');
        await problem(page, /would reach a prototype/);

        await cell('target').fill('sum');
        await cell('source').fill('');
        await cell('transform').selectOption('jsonata');
        await cell('setting').fill('payload.f + 1');
        await result(page, '"sum": 213');
        await cell('setting').fill('$sum($map(payload.list, function($v) { $v * 2 }))');
        const evaluate = page.getByRole('button', { name: 'Evaluate expressions' });
        await evaluate.waitFor({ state: 'visible' });
        await evaluate.click();
        await result(page, '"sum": 12');

        await page.locator('textarea[id^=hf-map-preview]').fill('{');
        await problem(page, /The sample is no JSON object/);
        assert.deepEqual(editor.errors, []);
        await page.close();
      });
    });
  }
});

function result(page: Page, text: string): Promise<void> {
  return page.locator('pre[role=region]', { hasText: text }).waitFor();
}

function problem(page: Page, text: RegExp): Promise<void> {
  return page.locator('fieldset ul[aria-live] li', { hasText: text }).first().waitFor();
}

/** Every text of the open form, shown or spoken. */
const TEXTS = `[...document.querySelectorAll('.hf-form *')].flatMap((element) => [
  ...[...element.childNodes].filter((one) => one.nodeType === 3).map((one) => one.data),
  element.getAttribute('aria-label'), element.getAttribute('title'), element.getAttribute('placeholder'),
]).map((text) => (text ?? '').trim()).filter((text) => text !== '')`;

/** Texts that have a German word but stand there in English, and how many stand there in German. */
function spoken(texts: readonly string[], base: string): { left: string[]; german: number } {
  const english = new Map<string, string>();
  for (const name of ['holdfast', base]) {
    const [en, de] = ['en-US', 'de'].map((language) => flat(catalogue(language, name)));
    for (const [key, text] of en ?? []) {
      // Where one place has the same word in both languages, the word itself tells nothing.
      const translated = de?.get(key) ?? text;
      english.set(text, english.get(text) === text ? text : translated);
    }
  }
  const german = new Set([...english].filter(([en, de]) => en !== de).map(([, de]) => de));
  const left = texts.filter((text) => (english.get(text) ?? text) !== text && !german.has(text));
  return { left: [...new Set(left)], german: texts.filter((text) => german.has(text)).length };
}

function catalogue(language: string, name: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, 'dist/red/locales', language, `${name}.json`), 'utf8'));
}

function flat(texts: unknown, key = ''): Map<string, string> {
  if (typeof texts === 'string') return new Map([[key, texts]]);
  return new Map(
    Object.entries(texts as object).flatMap(([name, inner]) => [...flat(inner, `${key}.${name}`)]),
  );
}
