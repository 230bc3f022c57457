/** Start, stop, start; and a hundred redeploys under load: nothing is left behind, nothing is lost. */
import assert from 'node:assert/strict';
import { boot, type Headless } from '../../lib/headless';
import { Plant } from './plant';
import { grown, resourcesNow, watchTimers, type Resources, type TimerWatch } from './resources';
import { SYSTEMS } from './systems';

const REDEPLOYS = 100;

describe('contract: life cycle of all systems together', () => {
  let timers: TimerWatch;
  beforeEach(() => {
    timers = watchTimers();
  });
  afterEach(() => timers.restore());

  const measure = (red: Headless): Resources =>
    resourcesNow(timers, { process, 'RED.events': red.RED.events });
  /** Waits until nothing is left above the first measurement; says what is when it stays. */
  const settles = async (before: Resources, now: () => Resources): Promise<void> => {
    let left: readonly string[] = [];
    for (let tries = 0; tries < 100; tries += 1) {
      left = grown(before, now());
      if (left.length === 0) return;
      await timers.wait(100);
    }
    assert.fail(`left behind: ${left.join('; ')}`);
  };
  const start = async (plant: Plant): Promise<Headless> => {
    const red = await boot({ flows: plant.flows(), credentials: plant.credentials });
    await plant.works(red, timers.wait);
    return red;
  };

  it('starts, stops and starts again', async () => {
    const plant = new Plant(SYSTEMS);
    const first = await start(plant);
    await first.stop();
    const events = { process };
    const before = resourcesNow(timers, events);
    const second = await start(plant);
    await second.stop();
    await settles(before, () => resourcesNow(timers, events));
  });

  it(`is redeployed ${REDEPLOYS} times under load without a leak or a loss`, async function () {
    this.timeout(170_000);
    const plant = new Plant(SYSTEMS);
    const red = await start(plant);
    try {
      await red.deploy([]);
      await timers.wait(500);
      const before = measure(red);
      for (let round = 0; round < REDEPLOYS; round += 1) {
        await red.deploy(plant.flows(), plant.credentials);
        plant.send(red);
        plant.send(red);
      }
      await red.deploy(plant.flows(), plant.credentials);
      await plant.works(red, timers.wait);
      await red.deploy([]);
      for (const [msgid, times] of plant.timesDone(red)) {
        assert.equal(times, 1, `${msgid} at ${plant.sent.get(msgid)} was done ${times} times`);
      }
      const slow = red.record.logs.filter((line) =>
        /timed out|did not end cleanly|UNCLASSIFIED/i.test(line.text),
      );
      assert.deepEqual(
        slow.map((line) => line.text),
        [],
      );
      await settles(before, () => measure(red));
    } finally {
      await red.stop();
    }
  });
});
