import type { Message } from '../core';
import type { FlowRecord } from './record';
import type { NodeRed, NodeStatus } from './types';

const LABEL = 'holdfast-headless';

/** Writes what Node-RED's hooks and events tell into the record. Returns the function that ends it. */
export function observe(RED: NodeRed, record: FlowRecord): () => void {
  RED.hooks.add(`onReceive.${LABEL}`, (event: { msg: Message; destination: { id: string } }) => {
    record.addMessage(event.destination.id, event.msg);
  });
  RED.hooks.add(`onComplete.${LABEL}`, (event: { msg: Message; error?: unknown; node: { id: string } }) => {
    record.addCompletion({ id: event.node.id, msg: event.msg, error: event.error, at: performance.now() });
  });
  const onStatus = (event: { id: string; status: Omit<NodeStatus, 'at'> }): void =>
    record.addStatus(event.id, { ...event.status, at: performance.now() });
  RED.events.on('node-status', onStatus);
  return () => {
    RED.hooks.remove(`*.${LABEL}`);
    RED.events.off('node-status', onStatus);
  };
}
