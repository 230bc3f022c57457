import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from './cli';

const tab = { id: 'tab', type: 'tab', label: 'test' };
const inject = {
  id: 'in',
  type: 'inject',
  z: 'tab',
  once: true,
  onceDelay: 0.01,
  props: [{ p: 'payload' }],
  payload: 'hello',
  payloadType: 'str',
  wires: [['fn']],
};
const out = { id: 'out', type: 'debug', z: 'tab', name: 'result', active: false, wires: [] };
const fn = (func: string): object => ({
  id: 'fn',
  type: 'function',
  z: 'tab',
  func,
  outputs: 1,
  wires: [['out']],
});

describe('headless: command line', () => {
  let folder: string;
  const run = async (flow: unknown, ...args: string[]): Promise<{ code: number; text: string }> => {
    const file = join(folder, 'flow.json');
    writeFileSync(file, JSON.stringify(flow));
    const lines: string[] = [];
    const code = await main(['run', file, '--for', '300ms', ...args], (line) => lines.push(line));
    return { code, text: lines.join('\n') };
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('prints what debug nodes receive and ends well', async () => {
    const { code, text } = await run([tab, inject, fn('msg.payload += "!"; return msg;'), out]);
    assert.equal(text, 'result: hello!');
    assert.equal(code, 0);
  });

  it('fails when a node fails', async () => {
    const { code, text } = await run([tab, inject, fn('throw new Error("broken pump");'), out]);
    assert.match(text, /failed {2}fn: .*broken pump/);
    assert.equal(code, 1);
  });

  it('fails when a node type is missing', async () => {
    const { code, text } = await run([tab, { id: 'odd', type: 'no-such-node', z: 'tab', wires: [] }]);
    assert.match(text, /no-such-node/);
    assert.equal(code, 1);
  });

  it('says what is wrong with the command or the file', async () => {
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(line);
    assert.equal(await main(['walk'], print), 2);
    assert.match(lines.join(), /holdfast run <flow.json>/);
    assert.equal(await main(['run'], print), 2);
    assert.equal(await main(['run', '--help'], print), 0);
    assert.deepEqual(await run({ not: 'a flow' }).then((done) => done.code), 2);
    assert.deepEqual(
      await run([tab], '--for', 'ever').then((done) => done.text),
      '--for must be a time such as 10s or 2m, not "ever".',
    );
  });
});
