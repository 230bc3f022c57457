/**
 * What the simulated queue holds: messages of a production line. A queue in memory has no server, so `host` and
 * `port` name no listener (docs/decisions/0004-sql-simulator.md).
 */
export interface Simulated {
  readonly key: string;
  readonly msg: Record<string, unknown>;
}

const MACHINES = ['press1', 'press2', 'oven'];

export function start(): Promise<{ host: string; port: number; close(): Promise<void> }> {
  return Promise.resolve({ host: '127.0.0.1', port: 0, close: () => Promise.resolve() });
}

/** The message of this number, always the same; every third belongs to the same machine. */
export function messageNumber(count: number): Simulated {
  const machine = MACHINES[count % MACHINES.length] ?? 'press1';
  const payload = { machine, piece: 1000 + count, weight: 12 + ((count * 37) % 100) / 100 };
  return { key: machine, msg: { topic: `${machine}/piece`, payload } };
}
