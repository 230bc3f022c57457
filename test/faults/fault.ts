/** What can happen between a client and its peer. Every number is a fact of the fault, never a test's pace. */
export type Fault =
  /** Nothing listens: open connections are reset, new ones refused. */
  | { readonly kind: 'refused' }
  /** RST on every open connection, and on new ones as soon as they send. */
  | { readonly kind: 'reset' }
  /** The answer ends after so many bytes, by FIN or by RST. Default: 5 bytes, FIN. */
  | { readonly kind: 'cut'; readonly afterBytes?: number; readonly how?: 'end' | 'reset' }
  /** The peer forgot the connection: it stays open for ever and silent, also after `clear`. */
  | { readonly kind: 'halfOpen' }
  /** Every piece of data waits, and then passes at most so many bytes a second. Default: 50 ms, no limit. */
  | { readonly kind: 'slow'; readonly delayMs?: number; readonly bytesPerSecond?: number }
  /** Each piece of an answer begins with 200 single bytes. */
  | { readonly kind: 'sliced' }
  /** Random bytes, as many as the answer had or `bytes`. */
  | { readonly kind: 'garbage'; readonly seed: number; readonly bytes?: number }
  /** Connections are accepted and nothing passes; what was sent arrives after `clear`, as from a dead link. */
  | { readonly kind: 'blackHole' }
  /** Every open connection is reset once; new ones work at once. */
  | { readonly kind: 'peerRestarted' };

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Seeded generator (mulberry32), so that a garbage test that fails can be repeated. Numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function randomBytes(random: () => number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 1) bytes[i] = Math.floor(random() * 256);
  return bytes;
}
