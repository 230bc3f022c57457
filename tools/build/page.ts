/** The `.html` of one node and of the plugin. */
import type { Field, Fields } from '../../lib/spec';
import { extensionBundle, inline, pluginBundle } from './bundle';
import { fieldKey, type Texts } from './catalogue';
import { template } from './form';
import { legacyNames, migrationSource } from './migration';
import { MODULE, PLUGIN, SHARED, forwards, inputsOf, outputsOf, type Component, type Role } from './model';

/** Light colours: Node-RED keeps dark label text in both themes. */
const COLOURS: Readonly<Record<Role, string>> = {
  connector: '#D8DDE3',
  adapter: '#BBD7F0',
  trigger: '#C3E3C8',
  mapper: '#F4DFA8',
  monitor: '#E0D0EC',
};

export function nodePage(root: string, component: Component, shared: Texts): string {
  const extended = component.role !== 'connector' && component.editorTexts !== undefined;
  const extension = extended ? extensionBundle(root, component.dir, [component.type]) : '';
  return [
    '<script type="text/javascript">',
    inline(`holdfast.define(${definition(component, shared)});`),
    inline(registration(component)),
    inline(extension) + '</script>',
    `<script type="text/html" data-template-name="${component.type}">`,
    template(component, shared),
    '</script>',
    '',
  ].join('\n');
}

export function pluginPage(root: string, watch: boolean): string {
  const script = inline(pluginBundle(root, watch));
  return `<script type="text/javascript">\n${script}</script>\n`;
}

function definition(component: Component, shared: Texts): string {
  const { migrate, version } = component.declaration;
  return `{ ...${JSON.stringify(specOf(component, shared))}, migrate: ${migrationSource(migrate, version)} }`;
}

/** What the editor needs to know of a declaration; texts come from the catalogue. */
function specOf(component: Component, shared: Texts): unknown {
  const { type, role, declaration } = component;
  const keys = Object.entries(component.fields).map(([name, field]) => [
    name,
    fieldKey(component, name, field, shared),
  ]);
  return {
    type,
    role,
    set: `${MODULE}/${component.base}`,
    version: declaration.version,
    ...(forwards(declaration) ? { outputs: outputsOf(declaration).length } : {}),
    fields: withoutHelp(component.fields),
    keys: Object.fromEntries(keys) as unknown,
  };
}

/** Help texts reach the form through the catalogue; columns keep theirs, as the tooltips of their heads. */
function withoutHelp(fields: Fields): unknown {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, { ...field, help: undefined }]),
  );
}

/** A string literal and an inline object literal: the official scorecard parses exactly that. */
function registration(component: Component): string {
  const { type, role, declaration } = component;
  const config = role === 'connector';
  const outputs = outputsOf(declaration);
  const lines = [
    `category: ${config ? `'config'` : `'Holdfast'`},`,
    `color: '${COLOURS[role]}',`,
    `defaults: {\n${defaults(component).join('\n')}\n  },`,
    ...credentials(component),
    ...(config ? [] : [`inputs: ${inputsOf(declaration)},`, `outputs: ${outputs.length},`]),
    `icon: '${component.icon}',`,
    `label: function () { return this.name || this._('label'); },`,
    `paletteLabel: function () { return this._('label'); },`,
    `labelStyle: function () { return this.name ? 'node_label_italic' : ''; },`,
    ...outputLabels(component),
    ...hooks(),
  ];
  return `RED.nodes.registerType('${type}', {\n  ${lines.join('\n  ')}\n});`;
}

function outputLabels({ declaration }: Component): string[] {
  const outputs = outputsOf(declaration);
  const own = outputs.some(Boolean) ? `this._('outputs.' + i)` : 'undefined';
  if (!forwards(declaration)) {
    return outputs.some(Boolean) ? [`outputLabels: function (i) { return ${own}; },`] : [];
  }
  const reports = `this._('${SHARED}:ui.deliveryReports')`;
  return [`outputLabels: function (i) { return i < ${outputs.length} ? ${own} : ${reports}; },`];
}

function hooks(): string[] {
  return [
    `oneditprepare: function () { ${PLUGIN}.open(this); },`,
    `oneditsave: function () { return ${PLUGIN}.save(this); },`,
    `oneditcancel: function () { ${PLUGIN}.close(this); },`,
    `oneditdelete: function () { ${PLUGIN}.close(this); },`,
    `oneditresize: function (size) { ${PLUGIN}.resize(this, size); }`,
  ];
}

function defaults(component: Component): string[] {
  const { migrate, version } = component.declaration;
  const lines = [`    configVersion: { value: ${version} },`];
  if (forwards(component.declaration)) {
    lines.push(`    outputs: { value: ${outputsOf(component.declaration).length} },`);
  }
  for (const name of legacyNames(component.fields, migrate, version)) {
    lines.push(`    ${name}: { value: undefined },`);
  }
  for (const [name, field] of Object.entries(component.fields)) {
    if (field.kind === 'secret') continue;
    const parts = [`value: ${JSON.stringify(editorDefault(field))}`];
    if (field.kind === 'ref') parts.push(`type: '${field.to}'`);
    parts.push(validator(component.type, name));
    lines.push(`    ${name}: { ${parts.join(', ')} },`);
    if (field.kind === 'typed') lines.push(`    ${name}Type: { value: '${field.default.type}' },`);
  }
  return lines;
}

/** Two parameters exactly: with any other number Node-RED takes a sentence for "valid". */
function validator(type: string, name: string): string {
  return `validate: function (v, opt) { return ${PLUGIN}.validate('${type}', '${name}', this, v, opt); }`;
}

function credentials(component: Component): string[] {
  const secrets = Object.entries(component.fields).filter(([, field]) => field.kind === 'secret');
  if (secrets.length === 0) return [];
  return [
    `credentials: {\n${secrets.map(([name]) => `    ${name}: { type: 'password' },`).join('\n')}\n  },`,
  ];
}

function editorDefault(field: Field): unknown {
  switch (field.kind) {
    case 'secret':
    case 'ref':
      return '';
    case 'typed':
      return field.default.value;
    default:
      return field.default ?? '';
  }
}
