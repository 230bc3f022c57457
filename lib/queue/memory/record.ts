import type { Attempt } from '../types';

/** A record of a queue. `gone`: ended; what still points to it forgets it. */
export interface Held {
  readonly seq: number;
  readonly id: string;
  readonly key: string;
  readonly time: number;
  readonly body: Uint8Array;
  /** Running time at which it was put. */
  readonly at: number;
  delivery: number;
  history: readonly Attempt[];
  state: 'waiting' | 'leased' | 'delayed' | 'gone';
  /** The lease that holds or held it last; 0 for none. */
  lease: number;
  /** Who leased it. */
  handle: number;
  /** Running time at which the lease or the delay ends. */
  due: number;
}
