/** Faults that only one system knows: a locked file, a lost directory. The same promises hold. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isGood, Rig } from './rig';
import { allSamples } from './samples';
import { SYSTEMS } from './systems';

for (const system of SYSTEMS) {
  const { connector, contract } = system;
  for (const fault of contract.own ?? []) {
    if (!connector) continue;
    describe(`contract: own faults of ${system.name}`, () => {
      it(`${fault.name}: fails each message once, says so, and recovers`, async () => {
        const directory = mkdtempSync(join(tmpdir(), 'holdfast-contract-'));
        const { connection, begin, end, close } = await fault.prepare(directory);
        const samples = allSamples(system, [fault.sample]);
        const rig = await Rig.start({ system, connector, connection: () => connection, samples });
        try {
          await rig.works();
          const began = performance.now();
          await begin();
          const ids = rig.adapters.flatMap((station) => [rig.send(station), rig.send(station)]);
          for (const one of await rig.done(ids)) assert.ok(!isGood(one), `${one.id} went through the fault`);
          await rig.showsTrouble(began);
          await end();
          await rig.works();
          await rig.checkBooks();
        } finally {
          await rig.stop();
          await close?.();
          rmSync(directory, { recursive: true });
        }
      });
    });
  }
}
