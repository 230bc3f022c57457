import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { isFailure, type StateStore } from '../core';
import { deriveKey, encryptedStore } from './vault';

function memory(): StateStore & { value: unknown } {
  const store = {
    value: undefined as unknown,
    load: () => Promise.resolve(store.value),
    save: (value: unknown) => {
      store.value = JSON.parse(JSON.stringify(value)) as unknown;
      return Promise.resolve();
    },
  };
  return store;
}

async function refused(promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(isFailure(error) && error.kind === 'config' && error.code === 'AUTH_UNAVAILABLE');
    assert.match(error.message, /cannot be decrypted/);
    return true;
  });
}

describe('secrets: encrypted store', () => {
  const key = randomBytes(32);
  const document = { refreshToken: 'canary', list: [1, 'ü'] };

  it('gives back what was saved, and shows nothing of it to the inner store', async () => {
    const inner = memory();
    const store = encryptedStore(inner, key);
    assert.equal(await store.load(), undefined);
    await store.save(document);
    assert.deepEqual(await store.load(), document);
    const first = JSON.stringify(inner.value);
    assert.ok(
      !first.includes('canary') && !first.includes(Buffer.from('canary').toString('base64').slice(0, 7)),
    );
    await store.save(document);
    assert.notEqual(JSON.stringify(inner.value), first, 'every save has its own nonce');
  });

  it('refuses another key and every changed byte', async () => {
    const inner = memory();
    await encryptedStore(inner, key).save(document);
    await refused(encryptedStore(inner, randomBytes(32)).load());
    const sealed = inner.value as Record<string, string>;
    for (const part of ['iv', 'tag', 'data']) {
      const bytes = Buffer.from(sealed[part] ?? '', 'base64');
      for (let i = 0; i < bytes.length; i += 1) {
        const changed = Buffer.from(bytes);
        changed[i] = (changed[i] ?? 0) ^ 1;
        inner.value = { ...sealed, [part]: changed.toString('base64') };
        await refused(encryptedStore(inner, key).load());
      }
    }
    for (const value of [null, 'x', {}, { ...sealed, tag: 'AAAA' }, { ...sealed, v: 2 }]) {
      inner.value = value;
      await refused(encryptedStore(inner, key).load());
    }
  });

  it('derives the same key again, and another one for another purpose', async () => {
    const [a, again, other] = await Promise.all([
      deriveKey('s', 'a'),
      deriveKey('s', 'a'),
      deriveKey('s', 'b'),
    ]);
    assert.equal(a.length, 32);
    assert.ok(a.equals(again));
    assert.ok(!a.equals(other));
    assert.throws(() => encryptedStore(memory(), Buffer.alloc(16)), /32 bytes/);
  });
});
