import { Scope, silentLog, systemClock } from '/work/main/lib/core';
import { connector } from '/work/main/nodes/modbus/connector';
import { start } from '/work/main/nodes/modbus/simulator';
import { TagBook } from '/work/main/nodes/modbus/book';
import { readTags } from '/work/main/nodes/modbus/read';
import { parse } from '/work/main/lib/spec';
import * as lib from 'modbus-serial';
async function main() {
  const sim = await start({ port: 0, seed: 1, clock: systemClock });
  const parsed = parse(connector.fields, { host: '127.0.0.1', port: sim.port });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const session = await connector.open({ config: parsed.values, auth: undefined as never, tls: undefined, id: '1', name: 'x', simulated: false, directory: '/tmp', scope: new Scope(), log: silentLog, clock: systemClock, lost: (e) => console.log('lost', e) });
  await connector.ping!(session, { attempt: 1, scope: new Scope(), key: 'a' });
  const rows: any[] = [];
  for (let b = 0; b < 100; b++) for (let i = 0; i < 10; i++) rows.push({ name: `t${b}_${i}`, unit: 1, area: 'holding', address: 100 + Math.floor(b * 12.5) + i, type: 'uint16', order: 'device', length: undefined, bit: undefined, scale: undefined, offset: undefined, eu: 'V' });
  const book = new TagBook(rows, 'protocol');
  const scope = new Scope();
  const plan = book.on(session).plan([]);
  console.log('blocks', plan.blocks(0).length);
  const Client = (lib as any).default;
  const raw = new Client();
  await raw.connectTCP('127.0.0.1', { port: sim.port });
  raw.setID(1);
  const t = (xs: number[]) => xs.sort((a, b) => a - b)[xs.length >> 1]!.toFixed(3);
  for (let round = 0; round < 6; round++) {
    const ours: number[] = [], theirs: number[] = [];
    for (let n = 0; n < 500; n++) {
      let a = performance.now();
      const r = await readTags(session, plan, scope, systemClock);
      ours.push(performance.now() - a);
      if (r.length !== 1000 || r[999]!.value !== ((100 + Math.floor(99 * 12.5) + 9) * 7 + 1) % 65536) throw new Error('bad ' + JSON.stringify(r[999]));
      a = performance.now();
      await Promise.all(Array.from({ length: 10 }, (_, i) => raw.readHoldingRegisters(100 + i * 125, 125)));
      theirs.push(performance.now() - a);
    }
    console.log('ours', t(ours), 'raw', t(theirs), 'window', session.windowOf(1));
  }
  await new Promise((r) => raw.close(r));
  await connector.close(session);
  await sim.close();
  console.log('underway', session.underWay, sim.sockets);
}
void main();
