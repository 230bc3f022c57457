/**
 * A real Node-RED with a flow of queue put, queue take and acknowledge on the local file; function nodes between them
 * tell the ledger. Its work is given as JSON in its only argument, and it may be killed at any moment.
 */
import { join } from 'node:path';
import type { FlowNode } from '../../lib/headless';
import { tell, type LedgerEvent } from './ledger';
import { between, randomOf } from './random';
import { QUEUE } from './records';

export interface FlowWork {
  /** Of the project, with what `npm run build` made. */
  readonly root: string;
  readonly userDir: string;
  readonly seed: number;
  readonly first: number;
  readonly records: number;
  readonly keys: number;
  readonly puts: number;
  readonly window: number;
}

/** The ledger as the function nodes of the flow see it. */
const STORED = `const { tell } = global.get('prove');
tell({ e: 'put', id: msg.idempotencyKey, result: msg.queue.result });`;
const GOT = `const { tell } = global.get('prove');
const { id, key, delivery } = msg.queue;
tell({ e: 'got', id, key, delivery });
if (msg.payload.id !== id) tell({ e: 'wrong', text: id + ' has another payload.' });
tell({ e: 'ending', id, how: 'acknowledge' });
return msg;`;
const ENDED = `const { tell } = global.get('prove');
tell({ e: 'ended', id: msg.payload.id, how: 'acknowledge', ok: true });`;
const FAILED = `const { tell } = global.get('prove');
tell({ e: 'wrong', text: msg.error.message });`;

function flowOf(window: number): FlowNode[] {
  const code = (id: string, func: string, ...wires: string[]): FlowNode => ({
    ...{ id, type: 'function', z: 'tab', func, outputs: 1, wires: [wires] },
  });
  const link = { connection: 'link', z: 'tab', configVersion: 1 };
  return [
    { id: 'tab', type: 'tab', label: 'prove' },
    {
      id: 'link',
      type: 'holdfast-queue-connection',
      name: 'prove',
      configVersion: 1,
      store: 'file',
      queue: QUEUE,
    },
    { ...link, id: 'put', type: 'holdfast-queue', key: 'payload.key', keyType: 'msg', wires: [['stored']] },
    code('stored', STORED),
    {
      ...link,
      id: 'take',
      type: 'holdfast-queue-trigger',
      inFlight: window,
      batch: 1,
      visibility: '1h',
      wires: [['got']],
    },
    code('got', GOT, 'acknowledge'),
    { ...link, id: 'acknowledge', type: 'holdfast-acknowledge', wires: [['ended']] },
    code('ended', ENDED),
    { id: 'catch', type: 'catch', z: 'tab', scope: null, uncaught: false, wires: [['failed']] },
    code('failed', FAILED),
  ];
}

async function main(): Promise<void> {
  const work = JSON.parse(process.argv[2] ?? '') as FlowWork;
  const { boot } = require(join(work.root, 'dist/lib/headless')) as typeof import('../../lib/headless');
  const random = randomOf(work.seed);
  let next = work.first;
  let open = 0;
  const heard = (event: LedgerEvent): void => {
    tell(event);
    if (event.e === 'put') {
      open -= 1;
      give();
    }
  };
  tell({ e: 'run' });
  const red = await boot({
    flows: flowOf(work.window),
    userDir: work.userDir,
    projectRoot: work.root,
    settings: { functionGlobalContext: { prove: { tell: heard } } },
  });
  const give = (): void => {
    for (; open < work.puts && next < work.first + work.records; next += 1) {
      const key = `k${between(random, 1, work.keys)}`;
      const id = `${key}-${next}-0`;
      tell({ e: 'try', id, key, n: next });
      open += 1;
      red.receive('put', { payload: { id, key }, idempotencyKey: id });
    }
  };
  tell({ e: 'open' });
  give();
}

main().catch((error: unknown) => {
  tell({ e: 'wrong', text: `Node-RED failed: ${error instanceof Error ? error.message : String(error)}` });
  process.exit(1);
});
