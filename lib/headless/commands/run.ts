/** `holdfast run flow.json`: runs a flow file without an editor, for CI and for trying a flow on a console. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseDuration } from '../../spec';
import { boot, type Headless } from '../boot';
import type { FlowNode } from '../types';

export const USAGE = `holdfast run <flow.json> [--for 10s] [--simulate] [--quiet]

Runs the flow, prints what its debug nodes receive and what is logged, and ends with
  0  when no node failed,
  1  when a node failed, a node type is missing or a node was red at the end,
  2  when the command or the file cannot be used.

--for <time>   how long the flow runs after its start (default 10s)
--simulate     every Holdfast connection talks to its simulator
--quiet        prints only failures`;

interface Order {
  readonly flows: readonly FlowNode[];
  readonly forMs: number;
  readonly quiet: boolean;
}

/** Runs the command with what stands behind its name. Returns the exit code. */
export async function run(args: readonly string[], print: (line: string) => void): Promise<number> {
  if (args.includes('--help')) {
    print(USAGE);
    return 0;
  }
  let order: Order;
  try {
    order = readOrder(args);
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    return 2;
  }
  let red: Headless;
  const problems = new Set<string>();
  try {
    red = await boot({
      flows: order.flows,
      onLog: ({ level, id, text }) => {
        if (level <= 20) problems.add(`${id === '' ? '' : `${id}: `}${text}`);
        else if (level <= 30 && id !== '' && !order.quiet) print(`warning ${id}: ${text}`);
      },
    });
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    return 1;
  }
  await new Promise((resolve) => setTimeout(resolve, order.forMs));
  if (!order.quiet) for (const line of debugLines(order.flows, red)) print(line);
  for (const line of redNodes(order.flows, red)) problems.add(line);
  for (const { id, error } of red.record.completions) if (error) problems.add(`${id}: ${textOf(error)}`);
  await red.stop();
  for (const problem of problems) print(`failed  ${problem}`);
  return problems.size === 0 ? 0 : 1;
}

function readOrder(args: readonly string[]): Order {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      for: { type: 'string', default: '10s' },
      simulate: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
    },
  });
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0) throw new Error(USAGE);
  const forMs = parseDuration(values.for);
  if (forMs === undefined) throw new Error(`--for must be a time such as 10s or 2m, not "${values.for}".`);
  const flows = readFlows(file);
  return { flows: values.simulate ? flows.map(simulated) : flows, forMs, quiet: values.quiet };
}

function readFlows(file: string): readonly FlowNode[] {
  const parsed = JSON.parse(readFileSync(file, 'utf8')) as unknown;
  const isNode = (one: unknown): boolean =>
    typeof one === 'object' && one !== null && 'id' in one && 'type' in one;
  if (!Array.isArray(parsed) || !parsed.every(isNode)) {
    throw new Error(`${file} is not a flow file: it must hold a JSON array of nodes.`);
  }
  return parsed as FlowNode[];
}

function simulated(node: FlowNode): FlowNode {
  return /^holdfast-.*-connection$/.test(node.type) ? { ...node, simulate: true } : node;
}

function debugLines(flows: readonly FlowNode[], red: Headless): string[] {
  return flows
    .filter((node) => node.type === 'debug')
    .flatMap((node) => {
      const name = typeof node['name'] === 'string' && node['name'] !== '' ? node['name'] : node.id;
      return red.record.received(node.id).map((msg) => `${name}: ${shown(msg.payload)}`);
    });
}

function redNodes(flows: readonly FlowNode[], red: Headless): string[] {
  return flows
    .filter((node) => red.status(node.id)?.fill === 'red')
    .map((node) => `${node.id}: ${red.status(node.id)?.text ?? 'red'}`);
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
