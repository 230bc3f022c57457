/** Every folder below nodes/, as the contract suites see it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowNode } from '../../lib/headless';
import type { AnyDeclaration, ConnectorDeclaration } from '../../lib/roles';
import type { Contract } from './types';

export const ROOT = join(__dirname, '..', '..');
const ROLES = ['connector', 'adapter', 'trigger', 'mapper', 'monitor'] as const;

export interface System {
  /** Folder below nodes/. */
  readonly name: string;
  readonly folder: string;
  readonly declarations: readonly AnyDeclaration[];
  readonly connector: ConnectorDeclaration | undefined;
  /** The connector that its nodes use: its own, or that of another folder. */
  readonly link: ConnectorDeclaration | undefined;
  readonly contract: Contract;
  /** `example.json`; empty when there is none (which a test reports). */
  readonly example: readonly FlowNode[];
}
/** A folder that cannot be read stops only itself. */
export type Found = System | { readonly name: string; readonly broken: unknown };

export const FOUND: readonly Found[] = readdirSync(join(ROOT, 'nodes'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort()
  .map((name): Found => {
    try {
      return load(name);
    } catch (broken) {
      return { name, broken };
    }
  });
export const SYSTEMS: readonly System[] = FOUND.filter((found): found is System => !('broken' in found));

function load(name: string): System {
  const folder = join(ROOT, 'nodes', name);
  const declarations = ROLES.filter((role) => existsSync(join(folder, `${role}.ts`))).map((role) => {
    const declaration = (require(join(folder, role)) as Record<string, AnyDeclaration | undefined>)[role];
    if (!declaration) throw new Error(`nodes/${name}/${role}.ts does not export "${role}".`);
    return declaration;
  });
  const example = join(folder, 'example.json');
  const connector = declarations.find((one): one is ConnectorDeclaration => one.role === 'connector');
  return {
    name,
    folder,
    declarations,
    connector,
    link: connector ?? declarations.map(connectorOf).find((one) => one !== undefined),
    contract: existsSync(join(folder, 'contract.ts'))
      ? (require(join(folder, 'contract')) as { contract: Contract }).contract
      : {},
    example: existsSync(example) ? (JSON.parse(readFileSync(example, 'utf8')) as FlowNode[]) : [],
  };
}

type SimulatorModule = Awaited<ReturnType<ConnectorDeclaration['simulator']['load']>>;

/** The folder's simulator from its source; the connector itself loads the compiled one. */
export function simulatorOf(system: System): SimulatorModule {
  return require(join(system.folder, 'simulator')) as SimulatorModule;
}

/** The connector that the nodes of a folder use: its own, or the one an adapter or trigger names. */
export function connectorOf(declaration: AnyDeclaration): ConnectorDeclaration | undefined {
  return 'connector' in declaration ? declaration.connector : undefined;
}
