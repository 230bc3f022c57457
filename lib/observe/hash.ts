import { hash } from 'node:crypto';
import { canonical } from './canonical';

/** SHA-256 of bytes or of a text's UTF-8, in lower-case hex. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/** SHA-256 of the canonical JSON of a payload; null where it is not JSON (binary data, cycles …). */
export function payloadHash(payload: unknown): string | null {
  const text = canonical(payload);
  return text === undefined ? null : sha256(text);
}
