import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Reading } from '../../lib/core';
import { ChangeFilter } from './changes';
import type { ChangeOptions } from './changes';

function reading(value: unknown, quality: Reading['quality'] = 'good', status = ''): Reading {
  return { tag: 't', value, quality, status, sourceTime: '', receivedTime: '', unit: '' };
}
/** Which of these values, one a second, get through. */
function passed(options: Partial<ChangeOptions>, values: readonly unknown[]): unknown[] {
  const filter = new ChangeFilter({ mode: 'none', deadband: 0, heartbeatMs: 0, ...options });
  return values.filter((value, i) => filter.pass([reading(value)], i * 1000).length > 0);
}

describe('modbus: changed readings', () => {
  it('always sends the first value, and then only different ones', () => {
    assert.deepEqual(passed({}, [1, 1, 2, 2, 1, 'a', 'a', true, null, null]), [1, 2, 1, 'a', true, null]);
    assert.deepEqual(passed({}, [[true], [true], [false], [false, true]]), [[true], [false], [false, true]]);
  });

  it('measures the deadband from what was sent, so that a slow drift gets through', () => {
    assert.deepEqual(passed({ mode: 'absolute', deadband: 2 }, [10, 11, 12, 13, 14, 15, 16]), [10, 13, 16]);
    assert.deepEqual(
      passed({ mode: 'percent', deadband: 10 }, [100, 109, 110, 111, 100, -100, -95]),
      [100, 111, -100],
    );
  });

  it('never lets a receiver be further off than the deadband', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1 }),
        fc.nat(50),
        (values, deadband) => {
          const filter = new ChangeFilter({ mode: 'absolute', deadband, heartbeatMs: 0 });
          let known = NaN;
          for (const value of values) {
            for (const one of filter.pass([reading(value)], 0)) known = Number(one.value);
            assert.ok(Math.abs(known - value) <= deadband);
          }
        },
      ),
    );
  });

  it('sends an unchanged value again after the heartbeat', () => {
    assert.deepEqual(passed({ heartbeatMs: 3000 }, [5, 5, 5, 5, 5, 5, 5]), [5, 5, 5]);
  });

  it('lets every change of quality and status through, whatever the deadband', () => {
    const filter = new ChangeFilter({ mode: 'absolute', deadband: 1000, heartbeatMs: 0 });
    const seen = [
      reading(1),
      reading(null, 'bad', 'UNIT_TIMEOUT'),
      reading(null, 'bad', 'UNIT_TIMEOUT'),
      reading(null, 'bad', 'UNIT_SILENT'),
      reading(1),
      reading(1, 'uncertain'),
      reading(1, 'uncertain', 'OLD'),
    ].map((one) => filter.pass([one], 0).length);
    assert.deepEqual(seen, [1, 1, 0, 1, 1, 1, 1]);
  });
});
