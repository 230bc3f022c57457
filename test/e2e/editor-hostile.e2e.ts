/** Flows, files and catalogues from anywhere: their texts never become markup, and no value breaks a dialog. */
import { strict as assert } from 'node:assert';
import { chromium, type Browser, type Page } from 'playwright-core';
import { discover } from '../../tools/build/discover';
import type { Field, Fields } from '../../lib/spec';
import { startHost, type Host } from './editor-host';
import { openEditor } from './editor-page';
import { ROOT, RUNTIMES } from './editor-runtimes';

const MARKUP = '"><img src=x onerror="window.holdfastPwned=1"><b class=holdfast-pwned>';
/** Set or present as soon as any of the texts was parsed as HTML. */
const PWNED = `window.holdfastPwned !== undefined || document.querySelector('.holdfast-pwned, .hf-form img') !== null`;
/**
 * None of the expected kinds. What cannot become text stands in cells only: at the top level Node-RED itself
 * stops at it.
 */
const ODD: readonly unknown[] = [{ length: 2 }, [null, 7, [1], { a: 1 }], 1e308];

const { components } = discover(ROOT);

/** A node of each type whose settings all are what `make` gives for a field. */
function nodesWith(tag: string, make: (field: Field, name: string) => unknown): Record<string, unknown>[] {
  return components.map(({ type, role, fields }, i) => {
    const node: Record<string, unknown> = { id: `holdfast-${tag}-${i}`, type };
    if (role !== 'connector') Object.assign(node, { z: 'holdfast-tab', x: 200, y: 60 + 60 * i, wires: [] });
    for (const [name, field] of Object.entries(fields)) {
      if (field.kind === 'secret') continue;
      node[name] = make(field, name);
      if (field.kind === 'typed') node[`${name}Type`] = make(field, `${name}Type`);
    }
    return node;
  });
}

function markup(field: Field): unknown {
  if (field.kind === 'list') return [MARKUP];
  if (field.kind !== 'table') return MARKUP;
  return [Object.fromEntries(Object.keys(field.columns).map((column) => [column, MARKUP]))];
}

/** Choices keep their default, so that every other field of the form stays reachable. */
function odd(value: unknown): (field: Field) => unknown {
  return (field) => {
    if (field.kind === 'choice') return field.default;
    if (field.kind !== 'table') return value;
    const row = Object.fromEntries(Object.keys(field.columns).map((column) => [column, { toString: 1 }]));
    return [null, value, row];
  };
}

const FLOWS = [
  { id: 'holdfast-tab', type: 'tab', label: MARKUP },
  ...nodesWith('markup', markup),
  ...ODD.flatMap((value, i) => nodesWith(`odd${i}`, odd(value))),
];

/** Opens the dialog of every node of the flow, visits its tabs and leaves it by Cancel. */
async function visit(
  page: Page,
  tag: string,
  inside: (type: string, fields: Fields) => Promise<void>,
): Promise<void> {
  for (const [i, { type, role, fields }] of components.entries()) {
    const id = `holdfast-${tag}-${i}`;
    const config = role === 'connector';
    const call = config
      ? `RED.editor.editConfig('', '${type}', '${id}')`
      : `RED.editor.edit(RED.nodes.node('${id}'))`;
    await page.evaluate(call);
    const cancel = page.locator(config ? '#node-config-dialog-cancel' : '#node-dialog-cancel');
    await cancel.waitFor({ state: 'visible' });
    // Node-RED shows the buttons before it has filled the tray.
    await page.locator(`.hf-form[data-holdfast="${type}"] .hf-row`).first().waitFor({ state: 'attached' });
    for (const tab of await page.locator('.hf-tab').all()) await tab.click();
    const rows = await page.locator(`.hf-form[data-holdfast="${type}"] .hf-row`).count();
    assert.equal(rows, Object.keys(fields).length, `${type} (${tag}) shows all of its fields`);
    await inside(type, fields);
    await cancel.click();
    await page.locator('.hf-form').waitFor({ state: 'detached' });
  }
}

describe('editor with hostile flows', () => {
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

      it('shows markup in names, settings, cells and problems as text', async () => {
        const editor = await openEditor(browser, host.url, 'light');
        let shown = 0;
        await visit(editor.page, 'markup', async (type) => {
          const messages = await editor.page.locator('.hf-message').allTextContents();
          shown += messages.filter((text) => text.includes('<img')).length;
          assert.equal(await editor.page.evaluate(PWNED), false, type);
        });
        assert.ok(shown > 0, 'no problem quoted the markup, so this test shows nothing');
        assert.deepEqual(editor.errors, []);
        await editor.page.close();
      });

      it('shows markup of a pasted file as text', async () => {
        const editor = await openEditor(browser, host.url, 'light');
        await visit(editor.page, 'odd2', async (type, fields) => {
          for (const [name, field] of Object.entries(fields)) {
            const row = editor.page.locator(`.hf-row[data-field=${name}]`);
            if (field.kind !== 'table' || !(await row.isVisible())) continue;
            const cells = Object.keys(field.columns).map(() => `"${MARKUP.replaceAll('"', '""')}"`);
            const file = {
              name: `${MARKUP}.csv`,
              mimeType: 'text/csv',
              buffer: Buffer.from(cells.join(',')),
            };
            await row.locator('input[type=file]').setInputFiles(file);
            await row.getByRole('button', { name: 'Replace all rows' }).click();
            assert.equal(await row.locator('[data-cell]').first().inputValue(), MARKUP, `${type}.${name}`);
            assert.equal(await editor.page.evaluate(PWNED), false, `${type}.${name}`);
          }
        });
        assert.deepEqual(editor.errors, []);
        await editor.page.close();
      });

      it('shows markup of a catalogue as text', async () => {
        const editor = await openEditor(browser, host.url, 'light', { prepare: poisonCatalogues });
        let poisoned = 0;
        await visit(editor.page, 'odd2', async (type) => {
          poisoned += await editor.page.locator('.hf-row > label', { hasText: '<img' }).count();
          for (const help of await editor.page.locator('.hf-info:visible').all()) await help.click();
          assert.equal(await editor.page.evaluate(PWNED), false, type);
        });
        assert.ok(poisoned > 0, 'the catalogue was not replaced, so this test shows nothing');
        assert.deepEqual(editor.errors, []);
        await editor.page.close();
      });

      it('opens whatever kind of value a flow holds', async () => {
        const editor = await openEditor(browser, host.url, 'light');
        for (const i of ODD.keys()) {
          await visit(editor.page, `odd${i}`, async () => {
            assert.deepEqual(editor.errors, []);
          });
        }
        await editor.page.close();
      });
    });
  }
});

/** Every text of ours gets markup behind it. */
async function poisonCatalogues(page: Page): Promise<void> {
  await page.route(/\/(nodes|plugins)\/messages/, async (route) => {
    const response = await route.fetch();
    const all = (await response.json()) as Record<string, unknown>;
    for (const [set, texts] of Object.entries(all))
      if (set.startsWith('@holdfast/')) all[set] = poisoned(texts);
    await route.fulfill({ response, json: all });
  });
}

function poisoned(texts: unknown): unknown {
  if (typeof texts === 'string') return texts + MARKUP;
  if (typeof texts !== 'object' || texts === null) return texts;
  return Object.fromEntries(Object.entries(texts).map(([key, inner]) => [key, poisoned(inner)]));
}
