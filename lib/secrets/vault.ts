import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { Failure, type StateStore } from '../core';

const KEY_BYTES = 32;
const IV_BYTES = 12;
/** Bound to every record, so that a record of another purpose is refused. */
const CONTEXT = Buffer.from('holdfast state v1');

interface Sealed {
  readonly v: 1;
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
}

/**
 * A store whose documents are encrypted with AES-256-GCM (NIST SP 800-38D) before `inner` sees them.
 *
 * @param key 32 bytes; see `deriveKey`.
 * `load` throws a `config` Failure AUTH_UNAVAILABLE when the document was changed or the key is another one.
 */
export function encryptedStore(inner: StateStore, key: Buffer): StateStore {
  if (key.length !== KEY_BYTES) {
    throw new Failure('config', 'BAD_CONFIG', 'The key of an encrypted store must be 32 bytes long.', {
      reached: false,
    });
  }
  return {
    async load() {
      const sealed = await inner.load();
      return sealed === undefined ? undefined : open(sealed, key);
    },
    save: (value) => inner.save(seal(value, key)),
  };
}

/** Turns a passphrase into a key (scrypt, RFC 7914). `purpose` keeps the keys of different uses apart. */
export function deriveKey(passphrase: string, purpose: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase, `holdfast:${purpose}`, KEY_BYTES, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

function seal(value: unknown, key: Buffer): Sealed {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(CONTEXT);
  const data = Buffer.concat([cipher.update(JSON.stringify(value) ?? 'null', 'utf8'), cipher.final()]);
  return {
    v: 1,
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    data: data.toString('base64'),
  };
}

function open(sealed: unknown, key: Buffer): unknown {
  try {
    const { v, iv, tag, data } = sealed as Sealed;
    if (v !== 1) throw new Error('unknown version');
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), { authTagLength: 16 });
    decipher.setAAD(CONTEXT).setAuthTag(Buffer.from(tag, 'base64'));
    const plain = Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]);
    return JSON.parse(plain.toString('utf8')) as unknown;
  } catch {
    // The cause is left out: a JSON error quotes the decrypted text.
    const message =
      'The stored credentials of this connection cannot be decrypted: the file was changed, or the credential ' +
      'secret of Node-RED is another one than before. Enter the credentials of the connection again.';
    throw new Failure('config', 'AUTH_UNAVAILABLE', message, { reached: false });
  }
}
