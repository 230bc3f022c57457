/** Everything that was seen of the running flows, and waiting for what is still to come. */
import { inspect } from 'node:util';
import type { Message } from '../core';
import type { Completion, LogLine, NodeStatus } from './types';

/** Entries of each list that are kept; older ones are forgotten. */
const KEPT = 20_000;

export class FlowRecord {
  readonly logs: LogLine[] = [];
  readonly completions: Completion[] = [];
  readonly #received = new Map<string, Message[]>();
  readonly #statuses = new Map<string, NodeStatus[]>();
  readonly #waiting = new Set<() => void>();

  /** Messages that arrived at a node's input, oldest first. */
  received(id: string): readonly Message[] {
    return this.#received.get(id) ?? [];
  }
  /** The last status of a node. */
  status(id: string): NodeStatus | undefined {
    return this.#statuses.get(id)?.at(-1);
  }
  /** All statuses of a node, oldest first. */
  statuses(id: string): readonly NodeStatus[] {
    return this.#statuses.get(id) ?? [];
  }
  allMessages(): readonly Message[] {
    return [...this.#received.values()].flat();
  }
  allStatuses(): readonly NodeStatus[] {
    return [...this.#statuses.values()].flat();
  }
  /** Lines of level error and fatal. */
  errors(): readonly LogLine[] {
    return this.logs.filter((line) => line.level <= 20);
  }

  forget(): void {
    this.#received.clear();
    this.#statuses.clear();
    this.logs.length = 0;
    this.completions.length = 0;
  }

  addMessage(id: string, msg: Message): void {
    this.#add(listOf(this.#received, id), msg);
  }
  addStatus(id: string, status: NodeStatus): void {
    this.#add(listOf(this.#statuses, id), status);
  }
  addLog(line: LogLine): void {
    this.#add(this.logs, line);
  }
  addCompletion(completion: Completion): void {
    this.#add(this.completions, completion);
  }

  /**
   * Resolves with what `probe` finds, asked again after everything that happens. Rejects after `limitMs` with
   * what was waited for and the last log lines.
   */
  until<T>(what: string, probe: () => T | undefined | false, limitMs = 15_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(() => reject(new Error(this.#report(what, limitMs)))), limitMs);
      const finish = (act: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(ask);
        act();
      };
      const ask = (): void => {
        try {
          const found = probe();
          if (found !== undefined && found !== false) finish(() => resolve(found));
        } catch (error) {
          finish(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      this.#waiting.add(ask);
      ask();
    });
  }

  #add<T>(list: T[], entry: T): void {
    list.push(entry);
    if (list.length > KEPT) list.splice(0, KEPT / 10);
    for (const ask of [...this.#waiting]) ask();
  }

  #report(what: string, limitMs: number): string {
    const lines = this.logs
      .slice(-8)
      .map((line) => `  [${line.level}] ${line.type} ${line.text.slice(0, 300)}`);
    const states = [...this.#statuses].map(([id, list]) => `${id}: ${list.at(-1)?.text ?? ''}`);
    return [`Not seen within ${limitMs} ms: ${what}.`, `Statuses: ${states.join('; ')}`, ...lines].join('\n');
  }
}

function listOf<T>(lists: Map<string, T[]>, id: string): T[] {
  let list = lists.get(id);
  if (!list) lists.set(id, (list = []));
  return list;
}

/** Text of anything that was logged; errors with their stack. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Error ? (value.stack ?? value.message) : inspect(value, { depth: 6 });
}
