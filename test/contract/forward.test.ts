/**
 * Store and forward on every adapter whose calls write: what is sent while the peer is away is done once stored,
 * delivered in order when it is back, or stands in the dead letters because it must not be repeated.
 */
import assert from 'node:assert/strict';
import type { Message } from '../../lib/core';
import { isExpected } from '../helpers/services';
import type { Fault } from '../faults';
import { assertConserved, ledgerOf, metricsText } from './metrics';
import { isGood, Rig, type Station } from './rig';
import { SYSTEMS } from './systems';

const OUTAGES: Readonly<Record<string, Fault>> = {
  refused: { kind: 'refused' },
  reset: { kind: 'reset' },
  blackHole: { kind: 'blackHole' },
};
const MESSAGES = 8;
const ENDS = new Set(['delivered', 'dead']);

for (const system of SYSTEMS) {
  const { connector, contract, declarations } = system;
  const writes = declarations.some((one) => one.role === 'adapter' && one.forward !== false);
  if (!connector || !writes || (contract.server && !isExpected(contract.server.service))) continue;

  describe(`contract: store and forward of ${system.name}`, () => {
    let rig: Rig;
    before(async () => {
      rig = await Rig.start({ system, connector, call: { undelivered: 'store', retryMax: '500ms' } });
      await rig.works();
    });
    after(async () => {
      await rig?.stop();
      await contract.cleanUp?.();
    });

    for (const [name, fault] of Object.entries(OUTAGES)) {
      if (contract.without?.[name as 'refused'] !== undefined) continue;
      it(`${name}: loses nothing, keeps the order and the books`, async () => {
        await rig.proxy.set(fault);
        const sent = rig.adapters.map((station) => ({
          station,
          ids: Array.from({ length: MESSAGES }, () => rig.send(station)),
        }));
        const done = await rig.done(sent.flatMap(({ ids }) => ids));
        // Reads fail, or tell bad readings; what is done without either was stored, or is a dead letter.
        const failed = new Set(done.filter((one) => !isGood(one)).map(({ id }) => id));
        const stored = sent.filter(({ station }) => !failed.has(station.id));
        assert.ok(stored.length > 0, 'no sample of this system writes');
        await rig.proxy.clear();
        for (const { station, ids } of stored) await ended(rig, station, ids, name === 'refused');
        await rig.works();
        const text = await metricsText(rig.red.url ?? '');
        for (const { id } of rig.adapters) assertConserved(ledgerOf(text, id), id);
      });
    }
  });
}

/** Waits for the end of each message; in an outage that nothing gets through, all are delivered, in order. */
async function ended(rig: Rig, station: Station, ids: readonly string[], all: boolean): Promise<void> {
  const finals = await rig.red.record.until(
    `the end of ${ids.length} stored messages at ${station.id}`,
    () => {
      const found = reportsOf(rig, station, ids).filter((msg) => ENDS.has(eventOf(msg)));
      return found.length >= ids.length ? found : undefined;
    },
    60_000,
  );
  const delivered = finals.filter((msg) => eventOf(msg) === 'delivered').map((msg) => String(msg._msgid));
  const order = delivered.map((id) => ids.indexOf(id));
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
    `${station.id}: out of order`,
  );
  assert.equal(finals.length, ids.length, `${station.id}: a message ended twice`);
  // Only the one that met the breaking connection may have reached the peer.
  if (all) assert.ok(delivered.length >= ids.length - 1, `${station.id}: ${JSON.stringify(finals)}`);
  for (const msg of finals.filter((one) => eventOf(one) === 'dead')) {
    const { code } = (msg['failure'] ?? {}) as { code?: string };
    assert.equal(code, 'OUTCOME_UNKNOWN', `${station.id}: ${JSON.stringify(msg['failure'])}`);
  }
}

function reportsOf(rig: Rig, station: Station, ids: readonly string[]): readonly Message[] {
  return rig.red.record.received(`${station.id}-reports`).filter((msg) => ids.includes(String(msg._msgid)));
}

function eventOf(msg: Message): string {
  return (msg['delivery'] as { event?: string } | undefined)?.event ?? '';
}
