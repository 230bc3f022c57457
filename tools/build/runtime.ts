/** The small scripts that Node-RED loads, and the `node-red` entry that names them. */
import { MODULE, PLUGIN, type Component } from './model';

const MINIMUM = '>=4.1.0';

/** Lazy: the declaration's own file loads when Node-RED registers the type, its library in `open()`. */
export function nodeScript(component: Component): string {
  const { type, role, dir } = component;
  const secrets = Object.entries(component.fields)
    .filter(([, field]) => field.kind === 'secret')
    .map(([name]) => `${name}: { type: 'password' }`);
  return `'use strict';
module.exports = (RED) =>
  require('../lib/red/register').register(RED, {
    type: '${type}',
    role: '${role}',
    credentials: {${secrets.length > 0 ? ` ${secrets.join(', ')} ` : ''}},
    load: () => require('../nodes/${dir}/${role}').${role},
  });
`;
}

export function pluginScript(version: string): string {
  return `'use strict';
module.exports = (RED) => require('../lib/red/plugin').plugin(RED, { version: '${version}' });
`;
}

/** package.json with the generated entry. Connections come first: Node-RED loads in this order. */
export function manifest(text: string, components: readonly Component[]): string {
  const nodes = Object.fromEntries(components.map(({ base }) => [base, `dist/red/${base}.js`]));
  const plugins = { [PLUGIN]: `dist/red/${PLUGIN}.js` };
  const pack = JSON.parse(text) as Record<string, unknown>;
  if (pack.name !== MODULE) throw new Error(`package.json must name ${MODULE}.`);
  const entry = { version: MINIMUM, nodes, plugins };
  return JSON.stringify({ ...pack, 'node-red': entry }, null, 2) + '\n';
}
