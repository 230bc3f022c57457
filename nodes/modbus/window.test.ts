import assert from 'node:assert/strict';
import { AdaptiveWindow } from './window';

/** Plays bursts of `requests` against a device whose time for one request depends on the window. */
function play(
  window: AdaptiveWindow,
  bursts: number,
  requests: number,
  cost: (size: number) => number,
): number[] {
  return Array.from({ length: bursts }, () => {
    const size = window.size;
    window.burst(cost(Math.min(size, requests)), Math.min(size, requests), requests > size);
    return window.size;
  });
}
const last = (sizes: readonly number[]): number | undefined => sizes.at(-1);

describe('modbus: request window', () => {
  it('starts at one and grows while more at once makes a request cheaper', () => {
    const window = new AdaptiveWindow(16);
    assert.equal(window.size, 1);
    assert.equal(last(play(window, 26, 100, (size) => 1 / size)), 16);
  });

  it('gets past a plateau: ten requests take as long with a window of five as with nine', () => {
    const window = new AdaptiveWindow(16);
    const rounds = (size: number): number => Math.ceil(10 / size);
    play(window, 6, 10, rounds);
    window.shrink();
    window.shrink();
    const sizes = play(window, 3000, 10, rounds);
    assert.ok(sizes.filter((size) => size >= 10).length > 2500, `ended at ${last(sizes)}`);
  });

  it('never exceeds its limit, and stays at one when that is the limit', () => {
    assert.ok(play(new AdaptiveWindow(5), 50, 100, (size) => 1 / size).every((size) => size <= 5));
    assert.ok(play(new AdaptiveWindow(1), 50, 100, (size) => 1 / size).every((size) => size === 1));
  });

  it('goes back to one where pipelining is slower, and tries again ever more rarely', () => {
    const window = new AdaptiveWindow(16);
    const sizes = play(window, 2000, 10, (size) => (size === 1 ? 0.1 : 20));
    assert.ok(sizes.every((size) => size <= 2));
    assert.ok(sizes.filter((size) => size > 1).length < 40);
  });

  it('stays small where more at once changes nothing, as behind a serial gateway', () => {
    const sizes = play(new AdaptiveWindow(16), 2000, 10, () => 50);
    assert.ok(
      sizes.every((size) => size <= 2),
      `reached ${Math.max(...sizes)}`,
    );
    assert.equal(last(sizes), 1);
  });

  it('finds its way down again after the device became serial', () => {
    const window = new AdaptiveWindow(16);
    play(window, 100, 100, (size) => 1 / size);
    assert.equal(last(play(window, 5000, 100, () => 1)), 1);
  });

  it('halves on trouble', () => {
    const window = new AdaptiveWindow(16);
    play(window, 26, 100, (size) => 1 / size);
    window.shrink();
    assert.equal(window.size, 8);
    window.shrink();
    assert.equal(window.size, 4);
  });
});
