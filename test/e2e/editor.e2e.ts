/**
 * Every node's dialog in a real browser: it opens with the defaults, can be edited and saved, survives a
 * deploy and a reload, has no accessibility violation, and never throws.
 */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { discover } from '../../tools/build/discover';
import { startHost, type Host } from './editor-host';
import { ROOT, RUNTIMES } from './editor-runtimes';
import { openEditor, type EditorPage, type Theme } from './editor-page';

const { components, broken } = discover(ROOT);
const NODES = components.map((component, i) => ({
  id: `holdfast-node-${i}`,
  type: component.type,
  config: component.role === 'connector',
  component,
}));

/** One node of each type without any setting, as a flow written by hand may have it. */
function flows(): unknown[] {
  return [
    { id: 'holdfast-tab', type: 'tab', label: 'All nodes' },
    ...NODES.map(({ id, type, config }, i) =>
      config ? { id, type } : { id, type, z: 'holdfast-tab', x: 200, y: 60 + 60 * i, wires: [] },
    ),
  ];
}

describe('editor dialogs', () => {
  let browser: Browser;

  before(async () => {
    assert.deepEqual(broken, []);
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  });
  after(() => browser.close());

  for (const runtime of RUNTIMES) {
    describe(runtime.name, () => {
      let host: Host;
      before(async () => {
        host = await startHost({ ...runtime, root: ROOT, flows: flows() });
      });
      after(() => host.stop());

      for (const theme of runtime.themes) {
        it(`opens, edits, saves, deploys and reopens every dialog in the ${theme} theme`, async () => {
          const editor = await openEditor(browser, host.url, theme);
          const saved = new Map<string, Record<string, string>>();
          for (const node of NODES) saved.set(node.type, await edit(editor, node, theme));
          await editor.deploy();
          assert.deepEqual(editor.errors, []);
          await editor.page.close();

          const again = await openEditor(browser, host.url, theme);
          for (const node of NODES) {
            await again.open(node);
            assert.deepEqual(await again.shown(), saved.get(node.type), node.type);
            await again.done(node.config);
          }
          assert.equal(await again.page.evaluate('RED.nodes.dirty()'), false);
          assert.deepEqual(again.errors, []);
          await again.page.close();
        });
      }

      it('shows a wrong setting beside its field and on the canvas, and takes it back', async () => {
        const editor = await openEditor(browser, host.url, 'light');
        const node = NODES.find(({ component }) => component.fields['timeout']?.kind === 'duration');
        assert.ok(node);
        await editor.open(node);
        await editor.page.locator('.hf-tab[data-tab=delivery]').click();
        const row = editor.page.locator('.hf-row[data-field=timeout]');
        await row.locator('input').fill('soon');
        await row.locator('.hf-message').waitFor({ state: 'visible' });
        assert.match(await row.locator('.hf-message').innerText(), /must be a duration such as/);
        assert.equal(await row.locator('input').getAttribute('aria-invalid'), 'true');
        await row.locator('input').fill('90 s');
        await row.locator('.hf-message').waitFor({ state: 'hidden' });
        assert.equal(await row.locator('.hf-duration').innerText(), '= 90s');
        await row.locator('input').fill('soon');
        await editor.done(node.config);
        assert.equal(await editor.page.evaluate(`RED.nodes.node('${node.id}').valid`), false);
        assert.deepEqual(editor.errors, []);
        await editor.page.close();
      });

      it('fills a table from a spreadsheet, by keyboard and by file', async () => {
        const editor = await openEditor(browser, host.url, 'light');
        const found = tableNode();
        await editor.open(found.node);
        const row = editor.page.locator(`.hf-row[data-field=${found.field}]`);
        const lines = row.locator('tbody tr');
        await row.getByRole('button', { name: 'Paste' }).click();
        await row.locator('.hf-paste textarea').fill(`${found.columns.join('\t')}\none\ttwo\nthree\tfour\n`);
        await row.getByRole('button', { name: 'Replace all rows' }).click();
        assert.equal(await lines.count(), 2);
        const cell = (line: number, column: number) =>
          lines.nth(line).locator(`[data-cell=${found.columns[column]}]`);
        assert.equal(await cell(1, 0).inputValue(), 'three');

        await cell(1, 0).focus();
        await editor.page.keyboard.press('Alt+ArrowUp');
        assert.equal(await cell(0, 0).inputValue(), 'three');
        await cell(1, 1).focus();
        await editor.page.keyboard.press('Enter');
        assert.equal(await lines.count(), 3);
        assert.equal(await editor.page.locator('*:focus').getAttribute('data-cell'), found.columns[1]);
        await row.getByRole('button', { name: 'Delete row 3' }).click();
        assert.equal(await lines.count(), 2);

        const download = editor.page.waitForEvent('download');
        await row.getByRole('button', { name: 'Export CSV' }).click();
        const csv = readFileSync(await (await download).path(), 'utf8');
        assert.match(csv, /three,four/);
        await editor.done(found.node.config);
        const saved = await editor.page.evaluate<Record<string, unknown>[]>(
          `RED.nodes.node('${found.node.id}')['${found.field}']`,
        );
        assert.deepEqual(
          saved.map((one) => one[found.columns[0]]),
          ['three', 'one'],
        );
        assert.deepEqual(editor.errors, []);
        await editor.page.close();
      });

      it('moves between tabs with the arrow keys', async () => {
        const editor = await openEditor(browser, host.url, 'light');
        const node = NODES.find(({ component }) => component.role === 'adapter');
        assert.ok(node);
        await editor.open(node);
        await editor.page.locator('.hf-tab[data-tab=node]').focus();
        await editor.page.keyboard.press('ArrowRight');
        await editor.page.locator('.hf-row[data-field=timeout]').waitFor({ state: 'visible' });
        assert.equal(await editor.page.locator('.hf-tab:focus').getAttribute('data-tab'), 'delivery');
        await editor.page.keyboard.press('ArrowLeft');
        await editor.page.locator('.hf-row[data-field=name]').waitFor({ state: 'visible' });
        await editor.page.close();
      });
    });
  }
});

/** A palette node with a table that has two columns of text in front. */
function tableNode(): { node: (typeof NODES)[number]; field: string; columns: [string, string] } {
  for (const node of NODES) {
    for (const [field, declared] of Object.entries(node.component.fields)) {
      if (declared.kind !== 'table' || declared.showWhen || node.config) continue;
      const [first, second] = Object.entries(declared.columns);
      if (first?.[1].kind === 'text' && second?.[1].kind === 'text') {
        return { node, field, columns: [first[0], second[0]] };
      }
    }
  }
  throw new Error('No node has a table that begins with two texts.');
}

/** Names the node, looks at every tab, and returns what the form showed. */
async function edit(
  editor: EditorPage,
  node: (typeof NODES)[number],
  theme: Theme,
): Promise<Record<string, string>> {
  await editor.open(node);
  const labels = await editor.page.locator('.hf-row:visible > label').allInnerTexts();
  assert.ok(
    labels.every((label) => label !== ''),
    `${node.type} has a row without a label`,
  );
  await editor.page.locator('.hf-row[data-field=name] input').fill(`${node.component.base} ${theme}`);
  for (const tab of await editor.page.locator('.hf-tab').all()) {
    await tab.click();
    const place = `${node.type}, ${await tab.innerText()}`;
    assert.deepEqual(await editor.axe(), [], place);
    assert.deepEqual(await editor.contrast(), [], place);
  }
  if ((await editor.page.locator('.hf-tab').count()) === 0) {
    assert.deepEqual(await editor.axe(), [], node.type);
    assert.deepEqual(await editor.contrast(), [], node.type);
  }
  const shown = await editor.shown();
  await editor.done(node.config);
  return shown;
}
