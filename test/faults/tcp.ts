/** A TCP proxy that stands before any server and fails on command. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { systemClock, type Clock } from '../../lib/core';
import { seededRandom, type Address, type Fault } from './fault';
import { Link } from './link';

export interface FaultProxy extends Address {
  /** Open connections now. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Begins a fault for open and new connections; the one before ends. */
  set(fault: Fault): Promise<void>;
  /** Fair weather again. Half-open connections stay forgotten. */
  clear(): Promise<void>;
  /** New connections go to another peer; open ones are reset. */
  retarget(target: Address): void;
  close(): Promise<void>;
}
export interface FaultProxyOptions {
  readonly target: Address;
  /** For `slow`. */
  readonly clock?: Clock;
}

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const clock = options.clock ?? systemClock;
  const links = new Set<Link>();
  let target = options.target;
  let fault: Fault | undefined;
  let random = seededRandom(1);
  let accepted = 0;
  let waiting: (() => void)[] = [];
  let server: Server | undefined;

  const weather = {
    clock,
    fault: () => fault,
    random: () => random(),
    changed: () => new Promise<void>((resolve) => waiting.push(resolve)),
  };
  const accept = (client: Socket): void => {
    accepted += 1;
    const link: Link = new Link(client, target, weather, () => links.delete(link));
    links.add(link);
  };
  const listen = async (port: number): Promise<number> => {
    server = createServer({ allowHalfOpen: true }, accept);
    await listening(server, port);
    return (server.address() as AddressInfo).port;
  };
  const refuse = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    for (const link of links) link.reset();
    if (closing) await new Promise<void>((resolve) => closing.close(() => resolve()));
  };
  const become = async (next: Fault | undefined): Promise<void> => {
    fault = next;
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
    if (next?.kind === 'garbage') random = seededRandom(next.seed);
    if (next) for (const link of [...links]) link.onFault(next);
    if (next?.kind === 'refused') await refuse();
    else if (!server) await listen(port);
    if (next?.kind === 'peerRestarted') fault = undefined;
  };

  const port = await listen(0);
  return {
    host: '127.0.0.1',
    port,
    get connections() {
      return links.size;
    },
    get accepted() {
      return accepted;
    },
    set: become,
    clear: () => become(undefined),
    retarget(next) {
      target = next;
      for (const link of [...links]) link.reset();
    },
    close: async () => {
      await become(undefined);
      await refuse();
    },
  };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
