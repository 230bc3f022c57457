/**
 * Why the queue take node does not acknowledge a message by itself when every branch has called `done`
 * (docs/decisions/0009-no-automatic-acknowledgement.md). The counter here is the best there can be outside of the
 * nodes: it follows every send and every completion of a message and its clones by `_msgid`.
 */
import assert from 'node:assert/strict';
import type { Message } from '../../lib/core';
import { boot, type FlowNode, type Headless } from '../../lib/headless';

interface SendEvent {
  readonly msg: Message;
}

/** How many nodes still have the message or a clone of it. */
class OpenCount {
  readonly #open = new Map<string, number>();

  constructor(private readonly red: Headless) {
    red.RED.hooks.add('onSend.count', (events: readonly SendEvent[]) => {
      for (const { msg } of events) this.#add(msg._msgid, 1);
    });
    red.RED.hooks.add('onComplete.count', ({ msg }: { msg: Message }) => this.#add(msg._msgid, -1));
  }

  /** Puts a message in, as a take node would send it. */
  begin(id: string, to: string, msg: Message): void {
    this.#add(id, 1);
    this.red.receive(to, { ...msg, _msgid: id });
  }

  /** True: a take node that counts would acknowledge now. */
  isDone(id: string): boolean {
    return this.#open.get(id) === 0;
  }

  end(): void {
    this.red.RED.hooks.remove('*.count');
  }

  #add(id: string | undefined, by: number): void {
    if (id !== undefined) this.#open.set(id, (this.#open.get(id) ?? 0) + by);
  }
}

const code = (id: string, func: string, wires: readonly string[]): FlowNode => ({
  id,
  type: 'function',
  z: 'tab',
  func,
  outputs: 1,
  libs: [],
  wires: [wires],
});

/** Stands for the call that has not come back yet; it behaves well: `done` comes when it has. */
const WORK = 'flow.set("end", () => node.done()); /* node.done() follows */ return null;';

describe('queue: acknowledging by counting done', () => {
  let red: Headless;
  let count: OpenCount;
  const start = async (nodes: readonly FlowNode[]): Promise<void> => {
    red = await boot({
      flows: [{ id: 'tab', type: 'tab', label: 'test' }, ...nodes, code('work', WORK, [])],
    });
    count = new OpenCount(red);
  };
  const arrives = (id: string): Promise<Message> => red.waitFor(id);
  const completes = (id: string): Promise<unknown> =>
    red.record.until(`done at ${id}`, () => red.record.completions.find((one) => one.id === id));
  afterEach(async () => {
    count.end();
    await red.stop();
  });

  it('is right where every node holds its done back: a branch in work keeps the message open', async () => {
    await start([code('split', 'return msg;', ['work', 'fast']), code('fast', 'return null;', [])]);
    count.begin('one', 'split', { payload: 1 });
    await arrives('work');
    await completes('fast');
    assert.equal(count.isDone('one'), false);
  });

  it('is right for the delay node, which holds its done back', async () => {
    const delay = { pauseType: 'delay', timeout: '60', timeoutUnits: 'seconds', outputs: 1 };
    await start([
      code('first', 'return msg;', ['wait']),
      { id: 'wait', type: 'delay', z: 'tab', ...delay, wires: [['work']] },
    ]);
    count.begin('one', 'first', { payload: 1 });
    await arrives('wait');
    assert.equal(count.isDone('one'), false);
  });

  it('is wrong behind a join: its group is one message, the others count as done while it is in work', async () => {
    const group = { mode: 'custom', build: 'array', property: 'payload', propertyType: 'msg', count: '2' };
    await start([{ id: 'group', type: 'join', z: 'tab', ...group, accumulate: false, wires: [['work']] }]);
    count.begin('one', 'group', { payload: 1 });
    count.begin('two', 'group', { payload: 2 });
    const joined = await arrives('work');
    assert.deepEqual(joined.payload, [1, 2]);
    await red.record.until('done at group', () => red.record.completions.length >= 2);
    assert.ok(count.isDone('one') !== count.isDone('two'), 'one of both would be acknowledged');
  });

  it('is wrong for a message that a join throws away: reset calls its done', async () => {
    const group = { mode: 'custom', build: 'array', property: 'payload', propertyType: 'msg', count: '2' };
    await start([{ id: 'group', type: 'join', z: 'tab', ...group, accumulate: false, wires: [['work']] }]);
    count.begin('one', 'group', { payload: 1 });
    await arrives('group');
    assert.equal(count.isDone('one'), false);
    red.receive('group', { payload: 0, reset: true });
    await completes('group');
    assert.equal(count.isDone('one'), true, 'nothing was done with it');
    assert.equal(red.record.received('work').length, 0);
  });

  it('is wrong for a trigger node, which sends the message later', async () => {
    const later = { op1: '', op1type: 'nul', op2: '', op2type: 'payl', duration: '60', units: 's' };
    const more = {
      extend: false,
      overrideDelay: false,
      reset: '',
      bytopic: 'all',
      topic: 'topic',
      outputs: 1,
    };
    await start([{ id: 'later', type: 'trigger', z: 'tab', ...later, ...more, wires: [['work']] }]);
    count.begin('one', 'later', { payload: 1 });
    await completes('later');
    assert.equal(count.isDone('one'), true, 'it still waits in the trigger node');
    assert.equal(red.record.received('work').length, 0);
  });

  it('is wrong for a function node that goes on after its return', async () => {
    await start([code('callback', 'flow.set("later", msg); return null;', ['work'])]);
    count.begin('one', 'callback', { payload: 1 });
    await completes('callback');
    assert.equal(count.isDone('one'), true, 'the function node still has it');
  });
});
