/** Joins one Node-RED node to its role. Nothing that happens inside can reach the process. */
import { Failure, isFailure, toFailure, type Message } from '../core';
import { Connection, isConnection } from '../roles/connection';
import { COORDINATOR_TYPE } from '../roles/coordinator-type';
import type { AnyDeclaration } from '../roles/declare';
import { AdapterNode } from '../roles/adapter';
import { MapperNode } from '../roles/mapper';
import { MonitorNode } from '../roles/monitor';
import { recordFailure } from '../roles/outcome';
import type { Host, Runtime } from '../roles/runtime';
import { badConfig, readSettings, type Settings } from '../roles/settings';
import { TriggerNode } from '../roles/trigger';
import { nodeHost } from './host';
import { logicalName } from './name';
import type { Stub } from './register';
import { runtimeOf } from './runtime';
import { onceStarted } from './started';
import type { Red, RedNode } from './types';

/** A role as lib/red sees it. */
interface Running {
  input?(msg: Message, send: (msg: Message) => void): Promise<void>;
  close(): void | Promise<void>;
}

export function bind(RED: Red, node: RedNode, config: Record<string, unknown>, stub: Stub): void {
  const runtime = runtimeOf(RED);
  const host = nodeHost(RED, node, runtime);
  let running: Running;
  try {
    running = start(RED, node, config, stub.load(), host, runtime);
  } catch (error) {
    running = refuse(RED, node, host, runtime, toFailure(error));
  }
  listen(node, running, host, runtime);
}

function start(
  RED: Red,
  node: RedNode,
  config: Record<string, unknown>,
  declaration: AnyDeclaration,
  host: Host,
  runtime: Runtime,
): Running {
  const settings = readSettings(declaration, { ...config }, { ...node.credentials });
  switch (declaration.role) {
    case 'connector': {
      const connection = new Connection(declaration, settings, host, runtime, coordinatorOf(RED, settings));
      node.holdfast = connection;
      return connection;
    }
    case 'adapter':
      return new AdapterNode(
        declaration,
        settings,
        connectionOf(RED, settings, declaration.connector.type),
        host,
        runtime,
      );
    case 'trigger': {
      const { connector } = declaration;
      const connection = connector ? connectionOf(RED, settings, connector.type) : undefined;
      return new TriggerNode(declaration, settings, connection, host, runtime, coordinatorOf(RED, settings));
    }
    case 'mapper':
      return new MapperNode(declaration, settings, host, runtime);
    case 'monitor':
      return new MonitorNode(declaration, settings, host, runtime);
  }
}

function coordinatorOf(RED: Red, { coordinator }: Settings): Connection | undefined {
  if (typeof coordinator !== 'string' || coordinator === '') return undefined;
  return connectionOf(RED, { connection: coordinator }, COORDINATOR_TYPE);
}

function connectionOf(RED: Red, settings: Settings, type: string): Connection {
  const id = String(settings.connection);
  const node = RED.nodes.getNode(id);
  if (!node) throw badConfig(['Connection names a node that does not exist or is disabled; choose another.']);
  if (node.type !== type) throw badConfig([`Connection must be a ${type}, not a ${node.type}.`]);
  if (!isConnection(node.holdfast)) {
    throw badConfig([`The connection "${logicalName(node)}" has wrong settings; open and correct it.`]);
  }
  return node.holdfast;
}

/** A node that cannot start stays red, says why once, and refuses each message with the same sentence. */
function refuse(RED: Red, node: RedNode, host: Host, runtime: Runtime, failure: Failure): Running {
  const sentence = runtime.redactor.redact(failure.message);
  host.show({ level: 'bad', text: sentence.length > 80 ? `${sentence.slice(0, 79)}…` : sentence });
  if (failure.kind === 'unclassified') {
    host.log.error(failure.cause instanceof Error ? (failure.cause.stack ?? sentence) : sentence);
  } else {
    node.error(`${logicalName(node)}: ${sentence}`);
  }
  const forget = onceStarted(RED.events, () => host.fail(failure, true));
  return {
    input: (msg) => {
      const again = new Failure(failure.kind, failure.code, sentence, {
        reached: false,
        details: failure.details,
      });
      return Promise.reject(recordFailure(msg, again, runtime.redactor));
    },
    close: forget,
  };
}

function listen(node: RedNode, running: Running, host: Host, runtime: Runtime): void {
  const input = running.input?.bind(running);
  if (input) {
    node.on('input', (msg, send, done) => {
      input(msg, send)
        .then(
          () => done(),
          (error: unknown) => refused(error, done, host),
        )
        .catch((error: unknown) => host.log.error(`Node-RED failed: ${toFailure(error).message}`));
    });
  }
  node.on('close', (removed, done) => {
    close(node, running, runtime, removed).then(done, (error: unknown) => {
      node.warn(runtime.redactor.redact(`Closing did not end cleanly: ${toFailure(error).message}`));
      done();
    });
  });
}

function refused(error: unknown, done: (error?: unknown) => void, host: Host): void {
  if (isFailure(error) && error.kind === 'cancelled') return done();
  try {
    done(error);
  } catch {
    // Node-RED cannot report every message (one without a prototype, for example): then without it.
    host.fail(toFailure(error));
  }
}

async function close(node: RedNode, running: Running, runtime: Runtime, removed: boolean): Promise<void> {
  await running.close();
  node.holdfast = undefined;
  if (removed) await runtime.forget(node.id);
}
