import type { Contract } from '../../test/contract/types';

const msg = { queue: { token: 'of another time' }, failure: { kind: 'transient', message: 'No answer.' } };

/** Nothing in these suites delivers a message that could be settled, so each comes too late and is passed on. */
export const contract: Contract = {
  samples: {
    'holdfast-reject': [
      { name: 'give back', config: { whenLost: 'pass' }, msg },
      { name: 'dead letter', config: { action: 'deadLetter', whenLost: 'pass' }, msg },
    ],
  },
};
