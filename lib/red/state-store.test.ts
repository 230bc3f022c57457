import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stateStores } from './state-store';

describe('state store', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-state-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps a document over a restart', async () => {
    await stateStores(folder, undefined).store('n1', false).save({ last: 5 });
    assert.deepEqual(await stateStores(folder, undefined).store('n1', false).load(), { last: 5 });
  });

  it('saves in order and leaves no file aside', async () => {
    const store = stateStores(folder, undefined).store('n1', false);
    await Promise.all([1, 2, 3, 4].map((last) => store.save({ last })));
    assert.deepEqual(await store.load(), { last: 4 });
    assert.deepEqual(readdirSync(join(folder, 'state')), ['n1.json']);
  });

  it('never writes a secret in clear, with or without a credential secret', async () => {
    for (const secret of ['plant', undefined]) {
      const stores = stateStores(folder, secret);
      await stores.store('n1', true).save({ refreshToken: 'canary-4711' });
      const text = readFileSync(join(folder, 'state', 'n1.secret.json'), 'utf8');
      assert.ok(!text.includes('canary'));
      assert.deepEqual(await stores.store('n1', true).load(), { refreshToken: 'canary-4711' });
    }
    assert.equal(statSync(join(folder, 'state.key')).mode & 0o077, 0);
  });

  it('sets a damaged document aside and starts without it', async () => {
    const store = stateStores(folder, undefined).store('n1', false);
    await store.save({ last: 1 });
    writeFileSync(join(folder, 'state', 'n1.json'), '{"last":');
    assert.equal(await store.load(), undefined);
    assert.ok(existsSync(join(folder, 'state', 'n1.json.damaged')));
  });

  it('never leaves its folder, whatever id a flow file holds', async () => {
    const stores = stateStores(join(folder, 'inner'), undefined);
    await stores.store('../../escape', false).save(1);
    assert.deepEqual(readdirSync(folder), ['inner']);
    await stores.forget('../../escape');
    assert.deepEqual(readdirSync(join(folder, 'inner', 'state')), []);
  });

  it('asks again after the key could not be read, and never replaces a key that is there', async () => {
    const stores = stateStores(folder, undefined);
    const store = stores.store('n1', true);
    await store.save({ refreshToken: 'a' });
    const key = readFileSync(join(folder, 'state.key'));
    rmSync(join(folder, 'state.key'));
    mkdirSync(join(folder, 'state.key'));
    const later = stateStores(folder, undefined).store('n1', true);
    await assert.rejects(later.load());
    rmSync(join(folder, 'state.key'), { recursive: true });
    writeFileSync(join(folder, 'state.key'), key);
    assert.deepEqual(await later.load(), { refreshToken: 'a' });
  });

  it('says in a sentence that another credential secret was used, and can be written anew', async () => {
    await stateStores(folder, 'before').store('n1', true).save({ refreshToken: 'a' });
    const store = stateStores(folder, 'after').store('n1', true);
    await assert.rejects(store.load(), {
      code: 'AUTH_UNAVAILABLE',
      message: /credential secret of Node-RED/,
    });
    await store.save({ refreshToken: 'b' });
    assert.deepEqual(await store.load(), { refreshToken: 'b' });
  });
});
