import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFailure } from '../core';
import { list, secret, table, text, typed, type Fields } from '../spec';
import { nodeReadFile } from './read-file';
import { MAX_REFERENCE_BYTES, resolveReferences } from './references';

const env = { HOST: 'plc1', EMPTY: '', NESTED: '${HOST}', PASSWORD: 'canary' };
const fields: Fields = {
  host: text({ label: 'Host', help: '', default: '' }),
  password: secret({ label: 'Password', help: '' }),
  query: text({ label: 'Query', help: '', default: '', multiline: 'sql' }),
  input: typed({ label: 'Input', help: '', default: { type: 'str', value: '' }, types: ['str'] }),
  hosts: list({ label: 'Hosts', help: '', default: [] }),
  headers: table({
    label: 'Headers',
    help: '',
    columns: { value: text({ label: 'Value', help: '', default: '' }) },
    default: [],
  }),
};

const resolve = <T extends object>(values: T): Promise<T> =>
  resolveReferences(values, { env, readFile: nodeReadFile, fields });

async function refused(values: object, message: RegExp): Promise<void> {
  await assert.rejects(resolve(values), (error: unknown) => {
    assert.ok(isFailure(error) && error.kind === 'config' && error.code === 'AUTH_UNAVAILABLE');
    assert.equal(error.reached, false);
    assert.match(error.message, message);
    assert.ok(!JSON.stringify(error.toRecord()).includes('canary'));
    return true;
  });
}

describe('secrets: references', () => {
  let folder = '';
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'holdfast-references-'))));
  after(() => rm(folder, { recursive: true }));

  const write = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder, name), content);
    return `file:${join(folder, name)}`;
  };

  it('resolves variables, whole and within a text, once', async () => {
    assert.deepEqual(await resolve({ host: '${HOST}', password: 'a-${HOST}:${EMPTY}-${HOST}' }), {
      host: 'plc1',
      password: 'a-plc1:-plc1',
    });
    assert.deepEqual(await resolve({ host: '${NESTED}' }), { host: '${HOST}' });
  });

  it('keeps escaped references and what is none', async () => {
    const values = { host: '$${HOST}', password: 'pa$$word ${ ${} $HOST ${1}', port: 502, on: true };
    assert.deepEqual(await resolve(values), { ...values, host: '${HOST}' });
  });

  it('resolves lists and table cells, but no code and no typed input', async () => {
    const values = {
      hosts: ['${HOST}', 'b'],
      headers: [{ value: 'x ${HOST}', count: 1 }],
      query: 'select ${HOST}',
      input: { type: 'env', value: '${HOST}' },
    };
    assert.deepEqual(await resolve(values), {
      ...values,
      hosts: ['plc1', 'b'],
      headers: [{ value: 'x plc1', count: 1 }],
    });
  });

  it('reads a file without its last line break', async () => {
    const values = {
      host: await write('unix', 'a\nb\n'),
      password: (await write('windows', 'geheim ü\r\n')).replace('file:', 'file://'),
    };
    assert.deepEqual(await resolve(values), { host: 'a\nb', password: 'geheim ü' });
    const exact = await write('exact', 'x'.repeat(MAX_REFERENCE_BYTES));
    assert.equal((await resolve({ host: exact })).host.length, MAX_REFERENCE_BYTES);
  });

  it('names the field and the reference of what cannot be resolved, never a content', async () => {
    await refused(
      { password: 'canary ${MISSING}' },
      /^"Password" refers to \$\{MISSING\}, but this environment/,
    );
    await refused({ password: '${toString}' }, /\$\{toString\}/);
    await refused(
      { password: 'file:/nowhere/x' },
      /^"Password" refers to file:\/nowhere\/x, but the file does not/,
    );
    await refused({ host: `file:${folder}` }, /but it is (a folder|not a regular file)\.$/);
    await refused({ host: 'file:/dev/zero' }, /not a regular file/);
    const large = await write('large', 'canary'.padEnd(MAX_REFERENCE_BYTES + 1));
    await refused({ host: large }, /^"Host" refers to .*, but the file is larger than 64 KiB\.$/);
  });

  it('does not wait at a pipe that nobody writes to', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await refused({ host: `file:${pipe}` }, /not a regular file/);
  });

  it('does not reach a prototype', async () => {
    const out = await resolve(JSON.parse('{"__proto__":"${HOST}"}') as object);
    assert.deepEqual(Object.entries(out), [['__proto__', 'plc1']]);
    assert.equal(Object.getPrototypeOf(out), Object.prototype);
  });
});
