/** What a component is given by its runtime, for tests that make a context by hand. */
import { systemClock } from '../../lib/core';
import { createHealthBoard } from '../../lib/observe/health';
import type { LocalQueues } from '../../lib/queue/local';
import type { Source } from '../../lib/queue/types';

export const noQueues: LocalQueues = {
  use: () => Promise.reject(new Error('This test has no local store.')),
};
export const someSource: Source = { node: 'n1', name: 'node', type: 'holdfast-test', flow: 'test' };

export const surroundings = {
  queues: noQueues,
  source: someSource,
  board: createHealthBoard(systemClock),
  coordinator: undefined,
};
