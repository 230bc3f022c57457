/**
 * The thread that owns the file. An fsync on an SD card may take seconds; here it stops nobody but the callers.
 * Imports nothing but node: modules and its own neighbours.
 */
import { parentPort } from 'node:worker_threads';
import { Keeper } from './keeper';
import type { Command, LeaseAnswer, Operation, Reply, Request } from './protocol';

const keeper = new Keeper();

/** Bodies move to the other thread instead of being copied. */
function buffersOf(request: Request, reply: Reply): ArrayBuffer[] {
  if (request.do !== 'batch' || !reply.answers) return [];
  const buffers: ArrayBuffer[] = [];
  request.commands.forEach(({ op }: Command, index: number) => {
    if (op !== ('lease' satisfies Operation)) return;
    const answer = reply.answers?.[index] as LeaseAnswer | null;
    if (answer) buffers.push(answer.data, answer.facts.buffer as ArrayBuffer);
  });
  return buffers;
}

parentPort?.on('message', (request: Request) => {
  const reply = keeper.answer(request);
  parentPort?.postMessage(reply, buffersOf(request, reply));
});
