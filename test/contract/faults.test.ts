/**
 * Every fault in front of every system: the process lives, each message is done once, the status tells the
 * truth, and the link recovers by itself. One Node-RED for all faults of a system: nothing is redeployed.
 */
import assert from 'node:assert/strict';
import type { RawConfig } from '../../lib/spec';
import { isExpected } from '../helpers/services';
import { makeAuthority, startTlsFront, type Fault } from '../faults';
import { isGood, Rig } from './rig';
import { FOUND, SYSTEMS } from './systems';
import { leadTo } from './samples';
import type { FaultName, Peer } from './types';

/** A fault of the line during which nothing can succeed. */
const DEADLY: Readonly<Partial<Record<FaultName, Fault>>> = {
  refused: { kind: 'refused' },
  reset: { kind: 'reset' },
  cut: { kind: 'cut', afterBytes: 5, how: 'end' },
  halfOpen: { kind: 'halfOpen' },
  garbage: { kind: 'garbage', seed: 42 },
  blackHole: { kind: 'blackHole' },
};
/** Slower or once interrupted, but alive. */
const HARMLESS: Readonly<Partial<Record<FaultName, Fault>>> = {
  slow: { kind: 'slow', delayMs: 20 },
  sliced: { kind: 'sliced' },
  peerRestarted: { kind: 'peerRestarted' },
};
const MESSAGES = 5;
/** From the first failed message to the status that tells it. */
const TOLD_WITHIN_MS = 1000;

describe('contract: folders', () => {
  for (const found of FOUND) {
    it(`nodes/${found.name} can be read`, () => {
      assert.ok(!('broken' in found), 'broken' in found ? String(found.broken) : '');
    });
  }
});

for (const system of SYSTEMS) {
  const { connector, contract } = system;
  if (!connector || (contract.server && !isExpected(contract.server.service))) continue;
  const applies = (fault: FaultName): boolean => contract.without?.[fault] === undefined;

  describe(`contract: faults before ${system.name}`, () => {
    let rig: Rig;
    before(async () => {
      rig = await Rig.start({ system, connector });
      await rig.works();
    });
    after(async () => {
      await rig?.stop();
      await contract.cleanUp?.();
    });

    for (const [name, fault] of Object.entries(DEADLY)) {
      if (!applies(name as FaultName)) continue;
      it(`${name}: fails each message once, says so, and recovers`, () =>
        suffer(rig, () => rig.proxy.set(fault)));
    }
    for (const [name, fault] of Object.entries(HARMLESS)) {
      if (!applies(name as FaultName)) continue;
      it(`${name}: goes on working`, async () => {
        await rig.proxy.set(fault);
        await rig.works();
        const ids = rig.adapters.flatMap((station) => times(MESSAGES, () => rig.send(station)));
        await rig.done(ids);
        await rig.works();
        await rig.proxy.clear();
        await rig.works();
        await rig.checkBooks();
      });
    }

    const { authRefused } = contract;
    if (authRefused && applies('authRefused')) {
      it('authRefused: says that the credentials are refused, and recovers', async () => {
        const guard = await authRefused();
        try {
          await suffer(rig, async () => {
            rig.proxy.retarget(guard);
            for (const station of rig.adapters) await rig.failsWith(station, 'auth');
          });
        } finally {
          await guard.close();
        }
      });
    }
  });

  const { tlsConnection } = contract;
  if (!connector.tls || !applies('wrongTlsHost')) continue;
  describe(`contract: TLS of ${system.name}`, () => {
    it('wrongTlsHost: sends nothing to another host, says so, and recovers', async () => {
      assert.ok(tlsConnection, `nodes/${system.name}/contract.ts needs tlsConnection`);
      const authority = makeAuthority();
      const lead = (peer: Peer): RawConfig => ({
        ...leadTo(system, connector, peer),
        ...tlsConnection(peer, authority.cert),
      });
      const rig = await Rig.start({ system, connector, connection: lead });
      const right = await startTlsFront(rig.simulator, ['127.0.0.1'], authority);
      const wrong = await startTlsFront(rig.simulator, ['other.example'], authority);
      try {
        rig.proxy.retarget(right);
        await rig.works();
        await suffer(rig, () => Promise.resolve(rig.proxy.retarget(wrong)), right);
        assert.equal(wrong.received, 0, 'bytes were sent to a host with a wrong certificate');
        assert.ok(rig.sawCode('TLS_FAILED'), 'no failure says TLS_FAILED');
      } finally {
        await rig.stop();
        await right.close();
        await wrong.close();
      }
    });
  });
}

/** Sends into the fault and after it. */
async function suffer(rig: Rig, begin: () => Promise<void>, peer: Peer = rig.simulator): Promise<void> {
  const began = performance.now();
  await begin();
  const ids = rig.adapters.flatMap((station) => times(MESSAGES, () => rig.send(station)));
  const done = await rig.done(ids);
  for (const one of done) assert.ok(!isGood(one), `a message went through ${one.id} during the fault`);
  const told = await rig.showsTrouble(began);
  for (const [i, { id }] of rig.stations.entries()) {
    const first = Math.min(...done.filter((one) => one.id === id).map((one) => one.at));
    const late = (told[i] ?? Infinity) - first;
    assert.ok(!(late > TOLD_WITHIN_MS), `the status of ${id} followed after ${late} ms`);
  }
  await rig.proxy.clear();
  rig.proxy.retarget(peer);
  await rig.works();
  await rig.checkBooks();
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
