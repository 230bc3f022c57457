/** Sequences from a seed: the options of a queue, what is done with it, and what meets the store meanwhile. */
import type { QueueOptions } from '../../../lib/queue';
import { between, randomOf } from '../random';
import type { Action, CrashKind, Event, Pick } from './actions';

type Random = () => number;

/** What a store can do, as far as it decides what is generated. */
export interface Abilities {
  readonly keys: boolean;
  readonly duplicates: boolean;
  readonly crashes: readonly CrashKind[];
  /** Once in so many groups the server itself is killed; 0: never. */
  readonly killEvery: number;
  /** Crashes a step. */
  readonly crashRate: number;
  /** Milliseconds of delay of a rejected record. */
  readonly delays: readonly number[];
  readonly restart: boolean;
  readonly whenFull: readonly QueueOptions['whenFull'][];
  readonly maxBytes: boolean;
  readonly age: boolean;
  /** Single dead letters can be named. */
  readonly numbers: boolean;
}

export const OWNER = { node: 'n1', name: 'Line 1', type: 'holdfast-queue', flow: 'Plant' };
const KEYS = ['', '', 'a', 'b', 'c'];
const VISIBILITIES = [0, 20, 200, 5000, 60_000, 60_000];
const TIMES = [1, 10, 50, 150, 700, 1500];

export function optionsOf(seed: number, index: number, able: Abilities): QueueOptions {
  const random = randomOf(mix(seed, index, 1));
  const chance = (p: number): boolean => random() < p;
  const one = <T>(list: readonly T[]): T => pickOf(random, list);
  return {
    owner: OWNER,
    ordered: chance(0.3),
    maxRecords: chance(0.3) ? between(random, 1, 6) : 0,
    maxBytes: able.maxBytes && chance(0.2) ? between(random, 5, 60) : 0,
    maxAgeMs: able.age && chance(0.25) ? one([200, 1000, 3000]) : 0,
    whenFull: one(able.whenFull),
    whenOld: one(['deadLetter', 'drop'] as const),
    maxDeliveries: chance(0.4) ? between(random, 1, 3) : 0,
    duplicateWindowMs: able.duplicates && chance(0.3) ? one([100, 2000, 60_000]) : 0,
  };
}

/** What is done with one queue. Ids are told apart by the sequence, so that none comes from another. */
export function actionsOf(
  seed: number,
  index: number,
  steps: number,
  able: Abilities,
  again: boolean,
): Action[] {
  const random = randomOf(mix(seed, index, 2));
  return Array.from({ length: steps }, (_, step) => actionOf(random, index, step, able, again));
}

/** What meets all queues of a store at the same time. */
export function eventsOf(seed: number, group: number, steps: number, able: Abilities): (Event | undefined)[] {
  const random = randomOf(mix(seed, group, 3));
  let kill = able.killEvery > 0 && group % able.killEvery === able.killEvery - 1;
  return Array.from({ length: steps }, (): Event | undefined => {
    const dice = random();
    const ms = pickOf(random, TIMES);
    const how = able.crashes.length > 0 ? pickOf(random, able.crashes) : undefined;
    if (dice < 0.3) return { do: 'time', ms };
    if (dice < 0.32 && able.restart) return { do: 'restart' };
    if (dice < 0.32 + able.crashRate && how) {
      const crash = { do: 'crash', how: kill ? 'kill' : how } as const;
      kill = false;
      return crash;
    }
    return undefined;
  });
}

function actionOf(random: Random, index: number, step: number, able: Abilities, again: boolean): Action {
  const dice = random();
  const of: Pick = { at: random(), live: random() < 0.85 };
  const at = random();
  const other = random();
  if (dice < 0.34) {
    const old = again && other < 0.2 ? Math.floor(at * step) : step;
    const key = able.keys ? pickOf(random, KEYS) : '';
    return { do: 'put', id: `${index}-${old}`, key, bytes: between(random, 0, 20), failed: at < 0.1 ? 2 : 0 };
  }
  if (dice < 0.56) {
    const visibilityMs = pickOf(random, VISIBILITIES);
    return {
      do: 'lease',
      max: pickOf(random, [1, 1, 2, 5, 100]),
      perKey: between(random, 1, 3),
      visibilityMs,
    };
  }
  if (dice < 0.7) return { do: 'acknowledge', of };
  if (dice < 0.79) return { do: 'reject', of, delayMs: pickOf(random, able.delays), attempt: at < 0.7 };
  if (dice < 0.83) return { do: 'release', of };
  if (dice < 0.86) return { do: 'extend', of, visibilityMs: pickOf(random, VISIBILITIES) };
  if (dice < 0.91) return { do: 'deadLetter', of };
  if (dice < 0.94) return { do: 'replay' };
  if (dice < 0.96) return able.numbers ? { do: 'replayOne', at, edited: other < 0.5 } : { do: 'replay' };
  if (dice < 0.97) return able.numbers ? { do: 'purgeDead', at } : { do: 'replay' };
  return other < 0.4 ? { do: 'purge' } : { do: 'reopen' };
}

function pickOf<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

function mix(seed: number, index: number, salt: number): number {
  return (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b) ^ Math.imul(salt, 0xc2b2ae35)) >>> 0;
}
