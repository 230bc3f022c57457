import type { Scope } from './scope';

/**
 * What repeating a call can do to the peer.
 * `safe` changes nothing; `idempotent` may be repeated with the same result; `once` must not be repeated when
 * an earlier attempt may have arrived.
 */
export type Effect = 'safe' | 'idempotent' | 'once';

/** One attempt of one call, as the component sees it. */
export interface Call {
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Ends on timeout and on close. `scope.signal` is an AbortSignal for libraries that take one. */
  readonly scope: Scope;
  /** The same for every attempt of this message; send it to peers that know idempotency keys. */
  readonly key: string;
}
