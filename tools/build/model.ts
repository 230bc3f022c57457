/** What the generator works on: every component found in the compiled `nodes/` folders. */
import type { AnyDeclaration } from '../../lib/roles';
import type { Fields } from '../../lib/spec';

export type Role = AnyDeclaration['role'];
export const ROLES: readonly Role[] = ['connector', 'adapter', 'trigger', 'mapper', 'monitor'];

export interface Component {
  /** Folder below nodes/. */
  readonly dir: string;
  readonly role: Role;
  /** The type without `holdfast-`: base name of every generated file. */
  readonly base: string;
  readonly type: string;
  readonly declaration: AnyDeclaration;
  /** All fields of the form: the declaration's own, then those that the framework adds. */
  readonly fields: Fields;
  /** Texts of the folder's editor.ts; undefined without one or for a connector. */
  readonly editorTexts: Readonly<Record<string, string>> | undefined;
  /** File name below dist/red/icons. */
  readonly icon: string;
}

/** Path below the project root to content. The generator never writes anything that is not in this map. */
export type Output = Map<string, string>;

export const PREFIX = 'holdfast-';
export const MODULE = '@holdfast/node-red-integration';
export const PLUGIN = 'holdfast';
export const SHARED = `${MODULE}/${PLUGIN}`;

export function isOwn(component: Component, field: string): boolean {
  return Object.hasOwn(component.declaration.fields, field);
}

export function inputsOf(declaration: AnyDeclaration): 0 | 1 {
  if (declaration.role === 'trigger') return declaration.inputs ?? 0;
  return declaration.role === 'adapter' || declaration.role === 'mapper' ? 1 : 0;
}

/** Whether the node gets one more output, for reports, when messages are not simply left to fail. */
export function forwards(declaration: AnyDeclaration): boolean {
  return declaration.role === 'adapter' && declaration.forward !== false;
}

export function outputsOf(declaration: AnyDeclaration): readonly string[] {
  if (declaration.role === 'connector') return [];
  return declaration.outputs ?? [''];
}
