/** What every folder has to hold, and examples that run as they are. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CODES } from '../../lib/core';
import { boot, type FlowNode, type Headless } from '../../lib/headless';
import type { AnyDeclaration } from '../../lib/roles';
import { readSettings } from '../../lib/roles/settings';
import type { RawConfig } from '../../lib/spec';
import { settingsOf } from './samples';
import { SYSTEMS, simulatorOf, type System } from './systems';

const SUFFIX: Readonly<Record<AnyDeclaration['role'], RegExp>> = {
  connector: /^holdfast-[a-z][a-z0-9-]*-connection$/,
  adapter: /^holdfast-[a-z][a-z0-9-]*(?<!-connection|-trigger)$/,
  trigger: /^holdfast-[a-z][a-z0-9-]*$/,
  mapper: /^holdfast-[a-z][a-z0-9-]*$/,
  monitor: /^holdfast-[a-z][a-z0-9-]*$/,
};

for (const system of SYSTEMS) {
  describe(`contract: folder nodes/${system.name}`, () => {
    it('holds a README, an example and, beside a connector, a simulator', () => {
      for (const file of ['README.md', 'example.json', ...(system.connector ? ['simulator.ts'] : [])]) {
        assert.ok(existsSync(join(system.folder, file)), `${file} is missing`);
      }
      if (system.connector) assert.equal(typeof simulatorOf(system).start, 'function');
      assert.ok(
        readFileSync(join(system.folder, 'README.md'), 'utf8').length > 300,
        'the README says too little',
      );
    });

    for (const declaration of system.declarations) {
      it(`names ${declaration.type} by the rules`, () => {
        assert.match(declaration.type, SUFFIX[declaration.role]);
        assert.ok(declaration.type.startsWith(`holdfast-${system.name}`), 'the type begins with the folder');
        assert.match(declaration.summary, /^[A-Z].*\.$/s, 'the summary is a full sentence');
        for (const [code, meaning] of Object.entries(declaration.codes ?? {})) {
          assert.match(code, /^[A-Z][A-Z0-9_]+$/);
          assert.match(meaning, /^\S.*\.$/s, `${code} has no sentence`);
          assert.ok(!(code in CODES), `${code} is already a common code`);
        }
      });

      it(`migrates every old version of ${declaration.type}`, () => migrates(system, declaration));

      if (declaration.role === 'connector') continue;
      it(`uses ${declaration.type} in an example`, () => {
        assert.ok(
          system.example.some((node) => node.type === declaration.type),
          `no ${declaration.type}`,
        );
      });
    }
  });

  describe(`contract: example of nodes/${system.name}`, () => {
    let red: Headless;
    before(async () => {
      red = await boot({ flows: system.example, http: true });
    });
    after(() => red?.stop());

    it('imports, deploys and runs without hardware', () => runs(red, system.example));
  });
}

/** `fixtures/v<n>.json` holds settings of version n; each must come out as accepted settings of today. */
function migrates(system: System, declaration: AnyDeclaration): void {
  assert.ok(Number.isInteger(declaration.version) && declaration.version >= 1);
  for (let version = 1; version < declaration.version; version += 1) {
    const file = join(system.folder, 'fixtures', `${declaration.type}-v${version}.json`);
    const shared = join(system.folder, 'fixtures', `v${version}.json`);
    const used = existsSync(file) ? file : shared;
    assert.ok(existsSync(used), `${used} is missing`);
    const fixture = JSON.parse(readFileSync(used, 'utf8')) as { config: RawConfig; credentials?: RawConfig };
    assert.ok(declaration.migrate?.[version], `no step from version ${version}`);
    readSettings(declaration, { ...fixture.config, configVersion: version }, fixture.credentials ?? {});
  }
}

async function runs(red: Headless, flows: readonly FlowNode[]): Promise<void> {
  const ours = flows.filter((node) => node.type.startsWith('holdfast-'));
  for (const node of ours) assert.ok(red.RED.nodes.getNode(node.id), `${node.id} does not run`);
  for (const node of ours) assert.ok(Object.keys(settingsOf(node)).length > 0, `${node.id} has no settings`);
  const isRed = (id: string): boolean => red.status(id)?.fill === 'red';
  await red.record.until('every link up', () => !ours.some((node) => isRed(node.id)));
  for (const inject of flows.filter((node) => node.type === 'inject')) red.receive(inject.id, {});
  const debugs = flows.filter((node) => node.type === 'debug');
  await red.record.until('a message at a debug node', () =>
    debugs.some((node) => red.record.received(node.id).length > 0),
  );
  await red.record.until('no red status', () => !ours.some((node) => isRed(node.id)));
  const failed = red.record.completions.filter((one) => one.error && ours.some((node) => node.id === one.id));
  for (const { error } of failed) {
    assert.notEqual((error as { kind?: string }).kind, 'unclassified', String(error));
    assert.notEqual((error as { kind?: string }).kind, 'config', String(error));
  }
}
