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
/** A test that ends with counting what became of everything. */
export type Test = (title: string, work: () => Promise<unknown>) => void;

export function queueSuite(name: string, make: () => Promise<StoreBed>): void {
  describe(`queue store: ${name}`, () => {
    let bed: StoreBed | undefined;
    let bench: Bench | undefined;

    beforeEach(async () => {
      bed = await make();
      bench = new Bench(bed, await bed.open());
    });
    afterEach(async () => {
      const used = bed;
      [bed, bench] = [undefined, undefined];
      await used?.destroy();
    });

    const now: Now = () => {
      if (!bench) throw new Error('There is no store outside of a test.');
      return bench;
    };
    const test: Test = (title, work) =>
      it(title, async () => {
        await work();
        await now().conserved();
      });
    for (const part of [lifeTests, leaseTests, keyTests, limitTests, deadTests, memoryTests]) part(test, now);
  });
}
