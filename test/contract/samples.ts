/** Working settings and messages of each node type: from `contract.ts`, else from the folder's example. */
import type { Message } from '../../lib/core';
import type { FlowNode } from '../../lib/headless';
import type { AnyDeclaration, ConnectorDeclaration } from '../../lib/roles';
import { allFields } from '../../lib/roles/framework-fields';
import { defaultOf, type Fields, type RawConfig } from '../../lib/spec';
import type { System } from './systems';
import type { Peer, Sample } from './types';

const NOT_SETTINGS = new Set(['id', 'type', 'z', 'g', 'x', 'y', 'd', 'wires', 'info', 'credentials']);

export interface NodeSample extends Sample {
  readonly type: string;
  readonly config: RawConfig;
  readonly msg: Message;
}

/** At least one sample of every node type that is not a connection. */
export function samplesOf(system: System, declaration: AnyDeclaration): readonly NodeSample[] {
  const { type } = declaration;
  const given = system.contract.samples?.[type] ?? exampleSamples(system, type);
  const used: readonly Sample[] = given.length > 0 ? given : [{ name: 'defaults' }];
  return used.map((sample) => complete(declaration, sample));
}

/** Samples of a system's adapter that stand nowhere else. */
export function allSamples(system: System, samples: readonly Sample[]): readonly NodeSample[] {
  const adapter = system.declarations.find((one) => one.role === 'adapter');
  return adapter ? samples.map((sample) => complete(adapter, sample)) : [];
}

function complete(declaration: AnyDeclaration, sample: Sample): NodeSample {
  return {
    ...sample,
    type: declaration.type,
    config: { ...rawDefaults(allFields(declaration)), configVersion: declaration.version, ...sample.config },
    msg: sample.msg ?? { payload: 'sample' },
  };
}

function exampleSamples(system: System, type: string): readonly Sample[] {
  return system.example
    .filter((node) => node.type === type)
    .map((node, i) => {
      const inject = system.example.find((one) => one.type === 'inject' && wiresTo(one, node.id));
      const name =
        typeof node['name'] === 'string' && node['name'] !== '' ? node['name'] : `example ${i + 1}`;
      return { name, config: settingsOf(node), ...(inject ? { msg: injected(inject) } : {}) };
    });
}

function wiresTo(node: FlowNode, id: string): boolean {
  return ((node['wires'] ?? []) as string[][]).flat().includes(id);
}

export function settingsOf(node: FlowNode): RawConfig {
  return Object.fromEntries(Object.entries(node).filter(([name]) => !NOT_SETTINGS.has(name)));
}

/** What an inject node sends, as far as it needs no runtime. */
function injected(inject: FlowNode): Message {
  const msg: Message = {};
  const props = (inject['props'] ?? []) as { p: string; v?: string; vt?: string }[];
  for (const { p, v = '', vt = 'str' } of props) {
    const own = p === 'payload' ? inject['payload'] : p === 'topic' ? inject['topic'] : undefined;
    const type = p === 'payload' && typeof inject['payloadType'] === 'string' ? inject['payloadType'] : vt;
    msg[p] = valueOf(typeof own === 'string' ? own : v, type);
  }
  return msg;
}

function valueOf(value: string, type: string): unknown {
  if (type === 'num') return Number(value);
  if (type === 'bool') return value === 'true';
  if (type === 'json') return JSON.parse(value) as unknown;
  if (type === 'date') return Date.now();
  return value;
}

/** What the editor saves for an untouched form. */
export function rawDefaults(fields: Fields): RawConfig {
  const raw: RawConfig = {};
  for (const [name, field] of Object.entries(fields)) {
    if (field.kind === 'secret' || field.kind === 'ref') continue;
    if (field.kind === 'typed') {
      raw[name] = field.default.value;
      raw[`${name}Type`] = field.default.type;
    } else raw[name] = field.default;
  }
  return raw;
}

/** The connection's settings: the example's, else the defaults. */
export function connectionBase(system: System, connector: ConnectorDeclaration): RawConfig {
  const node = system.example.find((one) => one.type === connector.type);
  const base = { ...rawDefaults(allFields(connector)), configVersion: connector.version };
  return { ...base, ...(node ? settingsOf(node) : {}) };
}

/** What leads a connection to a peer: told by the contract, or found by asking the simulator's `apply`. */
export function leadTo(system: System, connector: ConnectorDeclaration, peer: Peer): RawConfig {
  if (system.contract.connection) return system.contract.connection(peer);
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(connector.fields)) values[name] = defaultOf(field);
  const applied: Record<string, unknown> = connector.simulator.apply(values as never, {
    ...peer,
    close: () => Promise.resolve(),
  });
  return Object.fromEntries(Object.entries(applied).filter(([name, value]) => value !== values[name]));
}
