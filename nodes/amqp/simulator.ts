/**
 * An AMQP 0-9-1 broker, written from the specification (sections 2 to 4 and the class reference) and from RabbitMQ's
 * published extensions: confirmations, negative acknowledgements, exchange bindings, cancel and blocked notices.
 * Nothing here knows the connector. It plays a plant that publishes readings to the exchange "plant".
 */
import { createServer, type AddressInfo } from 'node:net';
import type { Simulator, SimulatorOptions } from '../../lib/roles';
import { Broker } from './simulator-broker';
import { ServerConnection } from './simulator-connection';
import { runPlant } from './simulator-plant';

export interface AmqpSimulatorOptions extends SimulatorOptions {
  /** Default: guest and guest. */
  readonly user?: string;
  readonly password?: string;
  /** Bytes. Default 16 MiB. */
  readonly maxMessage?: number;
  /** Offered to clients, in seconds. Default 60; 0 for none. */
  readonly heartbeat?: number;
  /** The plant stands still. */
  readonly still?: boolean;
}
export interface AmqpSimulator extends Simulator {
  readonly broker: Broker;
  /** Names that the connected clients give themselves. */
  readonly clients: readonly string[];
  /** Keeps confirmations back until it is called with false. */
  hold(on: boolean): void;
  /** Tells all clients that the broker takes no messages; an empty reason ends it. */
  block(reason: string): void;
  /** Cuts every open connection without a word. */
  cut(): void;
}

const MOST_CLIENTS = 200;

export async function start(options: AmqpSimulatorOptions): Promise<AmqpSimulator> {
  const { clock, seed, port, user = 'guest', password = 'guest', heartbeat = 60 } = options;
  const broker = new Broker();
  const open = new Set<ServerConnection>();
  let held = false;
  const settings = {
    broker,
    clock,
    user,
    password,
    heartbeat,
    maxMessage: options.maxMessage ?? 16_777_216,
    held: () => held,
  };
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    const connection = new ServerConnection(socket, settings);
    open.add(connection);
    socket.once('close', () => open.delete(connection));
  });
  server.maxConnections = MOST_CLIENTS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const stopPlant = runPlant(broker, seed, clock, options.still !== true);
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    broker,
    get clients() {
      return [...open].map(({ name }) => name);
    },
    hold: (on) => {
      held = on;
      if (!on) open.forEach((connection) => connection.release());
    },
    block: (reason) => open.forEach((connection) => connection.block(reason)),
    cut: () => open.forEach((connection) => connection.cut()),
    close: () =>
      new Promise((resolve) => {
        stopPlant();
        server.close(() => resolve());
        open.forEach((connection) => connection.cut());
      }),
  };
}
