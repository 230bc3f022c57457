import type { Contract } from '../../test/contract/types';

/** Nothing in these suites delivers a message that could be settled, so each comes too late and is passed on. */
export const contract: Contract = {
  samples: {
    'holdfast-acknowledge': [
      { name: 'acknowledge', config: { whenLost: 'pass' }, msg: { queue: { token: 'of another time' } } },
      {
        name: 'prolong a batch',
        config: { operation: 'extend', whenLost: 'pass' },
        msg: { queue: [{ token: 'one' }, { token: 'two' }] },
      },
    ],
  },
};
