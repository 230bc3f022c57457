/**
 * The contract of `lib/queue/types.ts`, sentence by sentence, for any store. Where a capability is missing, it is tested
 * that the store says so. After every test the totals of every queue must add up.
 */
import { Bench, type StoreBed } from './bed';
import { deadTests } from './suite-dead';
import { keyTests } from './suite-keys';
import { leaseTests } from './suite-lease';
import { limitTests } from './suite-limits';
import { lifeTests } from './suite-life';
import { memoryTests } from './suite-memory';

/** Gives the bench of the running test. */
export type Now = () => Bench;

export function queueSuite(name: string, make: () => Promise<StoreBed>): void {
  describe(`queue store: ${name}`, () => {
    let bed: StoreBed | undefined;
    let bench: Bench | undefined;

    beforeEach(async () => {
      bed = await make();
      bench = new Bench(bed, await bed.open());
    });
    afterEach(async () => {
      const [usedBed, usedBench] = [bed, bench];
      [bed, bench] = [undefined, undefined];
      try {
        await usedBench?.conserved();
      } finally {
        await usedBed?.destroy();
      }
    });

    const now: Now = () => {
      if (!bench) throw new Error('There is no store outside of a test.');
      return bench;
    };
    lifeTests(now);
    leaseTests(now);
    keyTests(now);
    limitTests(now);
    deadTests(now);
    memoryTests(now);
  });
}
