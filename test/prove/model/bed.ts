/** A store under test, with what can happen to it. */
import type { QueueStore } from '../../../lib/queue';
import type { CrashKind } from './actions';
import type { Abilities } from './generate';

export interface Crashed {
  /** Open queues go on by themselves. Else they are opened anew. */
  readonly handlesSurvive: boolean;
  /** What was under way got true answers. Else its answers belong to a time that was lost. */
  readonly answersHold: boolean;
}

export interface Bed {
  readonly able: Abilities;
  readonly store: QueueStore;
  /** Crashes that came about. */
  readonly crashes: number;
  /** Time passes for everything that waits. */
  advance(ms: number): Promise<void>;
  /** Milliseconds that the store has been open in all, as it tells itself. */
  running(): Promise<number>;
  /** Closed in order and opened again. */
  restart(): Promise<void>;
  /** Ends the store while what `begin` begins is under way, and brings it back. */
  crash(how: CrashKind, begin: () => Promise<unknown>): Promise<Crashed>;
  close(): Promise<void>;
}
