/** Finds the declarations in dist/nodes and checks what Node-RED would silently get wrong. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyDeclaration } from '../../lib/roles';
import type { Fields } from '../../lib/spec';
import { editorTexts } from './bundle';
import { PREFIX, ROLES, type Component, type Role } from './model';

/** Node-RED refuses or overwrites these as property names. */
const RESERVED = new Set(
  'id type wires users valid changed dirty x y z d g l w h info credentials inputs outputs icon'.split(' '),
);

export interface Discovered {
  readonly components: readonly Component[];
  /** Declarations that do not load. The others are still generated, so that one folder stops only itself. */
  readonly broken: readonly string[];
}

export function discover(root: string): Discovered {
  const nodes = join(root, 'nodes');
  const components: Component[] = [];
  const broken: string[] = [];
  for (const dir of existsSync(nodes) ? readdirSync(nodes).sort() : []) {
    for (const role of ROLES.filter((one) => existsSync(join(nodes, dir, `${one}.ts`)))) {
      try {
        components.push(load(root, dir, role));
      } catch (error) {
        broken.push(`nodes/${dir}/${role}.ts: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  checkUnique(components);
  return { components: components.sort(order), broken };
}

/** Connections first, then by name. */
function order(a: Component, b: Component): number {
  const config = Number(b.role === 'connector') - Number(a.role === 'connector');
  return config || (a.base < b.base ? -1 : 1);
}

function load(root: string, dir: string, role: Role): Component {
  const declaration = loadDeclaration(root, dir, role);
  const { allFields } = require(join(root, 'dist/lib/roles/framework-fields.js')) as { allFields: AllFields };
  const fields = allFields(declaration);
  checkNames(declaration.type, fields);
  return {
    dir,
    role,
    base: declaration.type.slice(PREFIX.length),
    type: declaration.type,
    declaration,
    fields,
    editorTexts: role === 'connector' ? undefined : editorTexts(root, dir),
    icon: iconOf(root, dir, declaration),
  };
}

function loadDeclaration(root: string, dir: string, role: Role): AnyDeclaration {
  const file = join(root, 'dist/nodes', dir, `${role}.js`);
  const loaded = require(file) as Readonly<Record<string, AnyDeclaration | undefined>>;
  const declaration = loaded[role];
  if (declaration?.role !== role) {
    throw new Error(`nodes/${dir}/${role}.ts must export "const ${role}" made by its define function.`);
  }
  return declaration;
}

type AllFields = (declaration: AnyDeclaration) => Fields;

function iconOf(root: string, dir: string, declaration: AnyDeclaration): string {
  if (declaration.icon) return declaration.icon;
  return existsSync(join(root, 'nodes', dir, 'icon.svg')) ? `${dir}.svg` : `${declaration.role}.svg`;
}

function checkNames(type: string, fields: Fields): void {
  if (!/^holdfast-[a-z][a-z0-9-]*$/.test(type)) {
    throw new Error(`The type "${type}" must be "holdfast-" and lower-case words joined by hyphens.`);
  }
  for (const name of Object.keys(fields)) {
    if (RESERVED.has(name) || !/^[a-z][A-Za-z0-9]+$/.test(name)) {
      throw new Error(`${type}: Node-RED does not allow a field named "${name}".`);
    }
    if (name.endsWith('Type') && fields[name.slice(0, -4)]?.kind === 'typed') {
      throw new Error(`${type}: the field "${name}" clashes with the type of a typed field.`);
    }
  }
}

function checkUnique(components: readonly Component[]): void {
  const seen = new Map<string, string>();
  for (const { type, dir } of components) {
    const other = seen.get(type);
    if (other) throw new Error(`nodes/${dir} and nodes/${other} both declare the type "${type}".`);
    seen.set(type, dir);
  }
}
