import assert from 'node:assert/strict';
import { migrate } from './migrate';

const steps = {
  1: (old: Record<string, unknown>) => ({ ...old, hostname: old.host }),
  2: (old: Record<string, unknown>) => ({ ...old, url: `tcp://${String(old.hostname)}` }),
};

describe('migrate', () => {
  it('walks every step from the saved version', () => {
    const from1 = migrate({ host: 'a' }, 3, steps);
    assert.ok('config' in from1);
    assert.equal(from1.config.url, 'tcp://a');
    assert.equal(from1.config.configVersion, 3);
    const from2 = migrate({ hostname: 'b', configVersion: 2 }, 3, steps);
    assert.ok('config' in from2);
    assert.equal(from2.config.url, 'tcp://b');
  });

  it('refuses settings of a newer version with a sentence', () => {
    const newer = migrate({ configVersion: 9 }, 3, steps);
    assert.ok('problem' in newer);
    assert.match(newer.problem.message, /newer version of the palette \(9, this is 3\)/);
  });

  it('takes an unreadable version as the first', () => {
    for (const configVersion of ['x', {}, { toString: 1 }, null, true]) {
      assert.ok('config' in migrate({ configVersion }, 1));
    }
  });
});
