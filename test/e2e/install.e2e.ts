/** The packed tarball, installed as a user installs it, under every supported Node-RED. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FlowNode } from '../../lib/headless';
import { Admin } from './admin';
import { installHost, ROOT, run, startRed, type Host, type RunningRed } from './process';
import { scorecard } from './scorecard';

const HOSTS = [
  { name: 'nr5', title: 'Node-RED 5 on Node 24' },
  { name: 'nr41', title: 'Node-RED 4.1 on Node 22' },
];
const MODULE = '@holdfast/node-red-integration';
const EXAMPLES = join(ROOT, 'examples');
const examples = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .sort();

describe('install: the packed palette', () => {
  let scratch: string;
  let tarball: string;

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'holdfast-install-'));
    const packed = await run(
      'npm',
      ['pack', '--ignore-scripts', '--json', '--pack-destination', scratch],
      ROOT,
    );
    const [{ filename } = { filename: '' }] = JSON.parse(packed) as { filename: string }[];
    tarball = join(scratch, filename);
  });
  after(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }));

  it('passes every check of the scorecard', async () => {
    await run('tar', ['xzf', tarball], scratch);
    const card = await scorecard(join(scratch, 'package'), scratch);
    const { package: _about, ...checks } = card;
    assert.ok(Object.keys(checks).length >= 11, `only ${Object.keys(checks).join(', ')} were checked`);
    const failed = Object.entries(checks).filter(([, { test }]) => !test);
    assert.deepEqual(failed, []);
  });

  for (const { name, title } of HOSTS) {
    describe(title, () => {
      let host: Host;
      let red: RunningRed;
      let admin: Admin;

      before(async () => {
        host = await installHost(name, title);
        const userDir = join(scratch, name);
        mkdirSync(userDir);
        await run(
          'npm',
          ['install', '--prefix', userDir, tarball, '--no-audit', '--no-fund', '--prefer-offline'],
          userDir,
        );
        red = await startRed(host, userDir);
        admin = await Admin.connect(red.url);
      });
      after(async () => {
        admin?.close();
        await red?.stop();
      });

      it('loads every node set without an error', async () => {
        const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
          'node-red': { nodes: object };
        };
        const sets = (await admin.nodes()).filter((set) => set.module === MODULE && set.types.length > 0);
        for (const set of sets) assert.ok(set.enabled && !set.err, `${set.id}: ${JSON.stringify(set.err)}`);
        assert.equal(sets.length, Object.keys(manifest['node-red'].nodes).length);
      });

      for (const file of examples) {
        it(`runs examples/${file}`, () => runExample(admin, red, file));
      }
    });
  }
});

async function runExample(admin: Admin, red: RunningRed, file: string): Promise<void> {
  const flows = JSON.parse(readFileSync(join(EXAMPLES, file), 'utf8')) as FlowNode[];
  const before = red.output().length;
  await admin.deploy(flows);
  const ours = flows.filter((node) => node.type.startsWith('holdfast-')).map((node) => node.id);
  const isRed = (id: string): boolean => admin.statuses.get(id)?.fill === 'red';
  const ids = new Set(flows.map((node) => node.id));
  await admin.until('every link up', () => !ours.some(isRed));
  for (const inject of flows.filter((node) => node.type === 'inject')) await admin.inject(inject.id);
  await admin.until('a message at a debug node', () =>
    admin.debug.some((one) => ids.has(one.id) && one.level === undefined),
  );
  await admin.until('no red status', () => !ours.some(isRed));
  const printed = red.output().slice(before);
  assert.doesNotMatch(printed, /missing-types|Waiting for missing types|Uncaught|UNCLASSIFIED/, printed);
  if (flows.some((node) => node.type.endsWith('-connection'))) {
    const { status, connections } = await admin.health();
    assert.notEqual(status, 'unhealthy', JSON.stringify(connections));
    assert.ok(connections.length > 0, 'health knows no connection');
  }
}
