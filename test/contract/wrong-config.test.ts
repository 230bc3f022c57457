/** A node with wrong settings is red with the reason, says it once, refuses messages, and stops nothing else. */
import assert from 'node:assert/strict';
import { boot, type FlowNode, type Headless } from '../../lib/headless';
import { allFields } from '../../lib/roles/framework-fields';
import type { RawConfig } from '../../lib/spec';
import { connectionBase, samplesOf } from './samples';
import { connectorOf, SYSTEMS, type System } from './systems';
import { conditionsOf, wrongValues } from './wrong-values';

interface Broken {
  readonly id: string;
  readonly node: FlowNode;
  readonly label: string;
}

for (const system of SYSTEMS) {
  describe(`contract: wrong settings of ${system.name}`, () => {
    const broken = system.declarations.flatMap((declaration) => brokenNodes(system, declaration));
    let red: Headless;
    before(async () => {
      red = await boot({ flows: [...shared(system), ...broken.map((one) => one.node)] });
    });
    after(() => red?.stop());

    it('shows each node red, naming the field', async () => {
      for (const { id, label, node } of broken) {
        if (node['z'] === undefined) continue;
        const status = await red.waitForStatus(id, ({ fill }) => fill === 'red');
        assert.ok(
          status.text?.includes(label.slice(0, 30)),
          `${id}: "${status.text}" does not name ${label}`,
        );
      }
    });

    it('says each reason once, in one sentence that names the field', () => {
      const lines = red.record.errors();
      for (const { id, label } of broken) {
        const own = lines.filter((line) => line.id === id);
        assert.equal(own.length, 1, `${id}: ${own.map((line) => line.text).join(' | ')}`);
        assert.ok(own[0]?.text.includes(label), `${id}: ${own[0]?.text}`);
      }
    });

    it('refuses messages with the same reason, each once', async () => {
      for (const { id, label, node } of broken) {
        const declaration = system.declarations.find((one) => one.type === node.type);
        if (declaration?.role !== 'adapter' && declaration?.role !== 'mapper') continue;
        red.receive(id, { payload: 1, _msgid: `to-${id}` });
        const done = await red.record.until(`done at ${id}`, () =>
          red.record.completions.find((one) => one.id === id),
        );
        const failure = done.error as { code?: string; message?: string };
        assert.equal(failure.code, 'BAD_CONFIG');
        assert.ok(failure.message?.includes(label), failure.message);
      }
    });

    it('leaves every other node running', async () => {
      for (const node of shared(system).filter((one) => one.id.startsWith('good-'))) {
        if (node.type.endsWith('-connection')) assert.ok(red.RED.nodes.getNode(node.id));
        else await red.record.until(`${node.id} is fine`, () => red.status(node.id)?.fill !== 'red');
      }
    });
  });
}

/** A right connection on its simulator, and a right node of each type. */
function shared(system: System): FlowNode[] {
  const link = system.link
    ? [{ ...connectionBase(system, system.link), simulate: true, id: 'good-link', type: system.link.type }]
    : [];
  const nodes = system.declarations.flatMap((declaration) => {
    if (declaration.role === 'connector') return [];
    const [sample] = samplesOf(system, declaration);
    const id = `good-${declaration.type}`;
    return [
      { ...sample?.config, ...connected(declaration), id, type: declaration.type, z: 'tab', wires: [[]] },
    ];
  });
  return [{ id: 'tab', type: 'tab', label: 'tab' }, ...link, ...nodes];
}

/** For each field of the declaration one node whose only fault is this field. */
function brokenNodes(system: System, declaration: System['declarations'][number]): readonly Broken[] {
  const fields = allFields(declaration);
  const isLink = declaration.role === 'connector';
  const good: RawConfig = isLink
    ? connectionBase(system, declaration)
    : (samplesOf(system, declaration)[0]?.config ?? {});
  return Object.entries(declaration.fields).flatMap(([name, field]) => {
    const [wrong] = field.kind === 'secret' ? [] : wrongValues(field);
    if (!wrong) return [];
    const parents = conditionsOf(fields, name, good);
    const id = `bad-${declaration.type}-${name}`;
    const type = wrong.type === undefined ? {} : { [`${name}Type`]: wrong.type };
    const place = isLink ? {} : { z: 'tab', wires: [[]], ...connected(declaration) };
    const node = { ...good, ...parents, ...type, [name]: wrong.value, ...place, id, type: declaration.type };
    return [{ id, node, label: field.label }];
  });
}

function connected(declaration: System['declarations'][number]): RawConfig {
  return connectorOf(declaration) ? { connection: 'good-link' } : {};
}
