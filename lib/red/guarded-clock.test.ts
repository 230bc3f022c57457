import assert from 'node:assert/strict';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { guardedClock } from './guarded-clock';

describe('guarded clock', () => {
  it('turns a throw in a timer into a line in the log, and cancels as before', async () => {
    const inner = new VirtualClock();
    const lines: string[] = [];
    const clock = guardedClock(inner, (text) => lines.push(text));
    clock.timer(5, () => {
      throw new Error('broken timer');
    });
    clock.timer(5, () => lines.push('next'));
    clock.timer(5, () => lines.push('cancelled')).cancel();
    await inner.advance(5);
    assert.match(lines[0] ?? '', /broken timer/);
    assert.deepEqual(lines.slice(1), ['next']);
  });
});
