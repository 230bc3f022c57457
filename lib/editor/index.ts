/**
 * The editor plugin: one script in the page of the plugin, global `holdfast`. The generated page of each node
 * calls `define` and hands its dialog over.
 */
import { Form } from './form';
import type { EditorNode } from './red';
import { settingsOf } from './settings';
import { Specs, type Spec } from './specs';
import { style } from './style';
import type { HoldfastForm } from './types';
import { validateField } from './validate';
import { watchBuild } from './watch';

const specs = new Specs();
/** By node, because a connection's dialog opens above the dialog of the node that uses it. */
const forms = new Map<EditorNode, Form>();

export function define(spec: Spec): void {
  specs.define(spec);
}

export function extension(types: readonly string[], extend: (form: HoldfastForm) => void): void {
  specs.extend(types, extend);
}

/** Node-RED's `validate` of one setting: true, or the sentence that says what is wrong. */
export function validate(
  type: string,
  field: string,
  node: EditorNode,
  _value: unknown,
  _options?: unknown,
): true | string {
  const spec = specs.get(type);
  if (!spec) return true;
  const raw = forms.get(node)?.raw() ?? settingsOf(spec, node);
  return validateField(specs.translated(spec), field, raw);
}

export function open(node: EditorNode): void {
  close(node);
  const spec = specs.get(node.type);
  const roots = document.querySelectorAll<HTMLElement>(`.hf-form[data-holdfast="${node.type}"]`);
  const root = [...roots].at(-1);
  if (!spec || !root) return;
  const form = new Form(root, spec, specs.translated(spec), node);
  forms.set(node, form);
  const extend = specs.extension(node.type);
  if (extend) extend(form);
  form.refresh();
}

export function save(node: EditorNode): void {
  forms.get(node)?.save();
  close(node);
}

export function close(node: EditorNode): void {
  const form = forms.get(node);
  forms.delete(node);
  form?.close();
}

export function resize(node: EditorNode, _size: unknown): void {
  forms.get(node)?.resize();
}

style();
if (HOLDFAST_WATCH) watchBuild();
