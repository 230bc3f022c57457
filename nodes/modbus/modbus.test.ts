import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { ServerTCP } from 'modbus-serial';
import { isFailure, systemClock } from '../../lib/core';
import type { Message, Reading } from '../../lib/core';
import type { AdapterDeclaration, TriggerDeclaration } from '../../lib/roles';
import type { RawRow } from '../../lib/spec';
import { Harness } from '../../test/helpers/harness';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { adapter } from './adapter';
import { connector } from './connector';
import { start } from './simulator';
import type { ModbusSimulator } from './simulator';
import { trigger } from './trigger';

const NODE = adapter as unknown as AdapterDeclaration;
const POLL = trigger as unknown as TriggerDeclaration;

const readingsOf = (messages: readonly Message[]): Reading[] => messages[0]?.payload as Reading[];
const byTag = (readings: readonly Reading[]): Record<string, unknown> =>
  Object.fromEntries(
    readings.map(({ tag, value, quality, status }) => [tag, quality === 'good' ? value : status]),
  );

describe('modbus: against the simulator', () => {
  let simulator: ModbusSimulator;
  let harness: Harness;
  beforeEach(async () => {
    simulator = await start({ port: 0, seed: 1, clock: systemClock });
    harness = new Harness();
  });
  afterEach(async () => {
    await harness.close();
    await simulator.close();
  });

  const link = (raw: Record<string, unknown> = {}) =>
    harness.connection(connector, { host: '127.0.0.1', port: simulator.port, ...raw }).connection;
  const node = (raw: Record<string, unknown>, connection = link()) =>
    harness.adapter(NODE, connection, { retryStrategy: 'none', ...raw });

  const BOILER: readonly RawRow[] = [
    { name: 'Set point', area: 'holding', address: 0, type: 'int16', scale: 0.1, eu: '°C' },
    { name: 'Mode', area: 'holding', address: 1, type: 'uint16' },
    { name: 'Name', area: 'holding', address: 10, type: 'string', length: 16 },
    { name: 'Burner', area: 'coil', address: 0, type: 'bool' },
    { name: 'Voltage', unit: 2, area: 'input', address: 0, type: 'float32', order: 'cdab', eu: 'V' },
    { name: 'Absent', area: 'holding', address: 20_000, type: 'uint16' },
    { name: 'Nobody', unit: 77, area: 'holding', address: 0, type: 'uint16' },
  ];

  it('reads every tag of several units as one message, bad ones included', async () => {
    const [msg] = await node({ tags: BOILER }).send({ topic: 'kept' });
    assert.equal(msg?.topic, 'kept');
    const readings = readingsOf([msg]);
    assert.deepEqual(
      readings.map(({ tag }) => tag),
      BOILER.map(({ name }) => name),
    );
    const values = byTag(readings);
    const voltage = values['Voltage'];
    assert.ok(typeof voltage === 'number' && Math.abs(voltage - 230) < 1.01, String(voltage));
    assert.deepEqual(
      { ...values, Voltage: 0 },
      {
        'Set point': 80,
        Mode: 1,
        Name: 'Holdfast boiler',
        Burner: true,
        Voltage: 0,
        Absent: 'ILLEGAL_ADDRESS',
        Nobody: 'GATEWAY_TARGET',
      },
    );
    assert.equal(readings[0]?.unit, '°C');
    assert.match(readings[0]?.receivedTime ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.equal(readings[5]?.value, null);
  });

  it('goes on reading one unit while another is dead, and notices when it is back', async () => {
    const clock = new VirtualClock();
    const timed = new Harness({ clock });
    const { connection } = timed.connection(connector, { host: '127.0.0.1', port: simulator.port });
    const { send } = timed.adapter(NODE, connection, { tags: BOILER });
    /** Time passes only while something is waited for. */
    const read = async (): Promise<Record<string, unknown>> => {
      let over = false;
      const sent = send({}).finally(() => (over = true));
      while (!over) await clock.advance(5);
      return byTag(readingsOf(await sent));
    };
    try {
      assert.equal(typeof (await read())['Voltage'], 'number');
      simulator.kill(2);
      const during = await read();
      assert.deepEqual([during['Voltage'], during['Mode']], ['UNIT_TIMEOUT', 1]);
      assert.equal((await read())['Voltage'], 'UNIT_SILENT');
      simulator.revive(2);
      await clock.advance(10_000);
      assert.equal(typeof (await read())['Voltage'], 'number');
      assert.equal(simulator.sockets, 1, 'on the same connection');
    } finally {
      await timed.close();
    }
  });

  it('reads only the tags that a message names, and refuses unknown ones', async () => {
    const { send } = node({ tags: BOILER });
    assert.deepEqual(byTag(readingsOf(await send({ tags: ['Mode', 'Burner'] }))), { Mode: 1, Burner: true });
    await assert.rejects(
      send({ tags: ['Mood'] }),
      (error) => isFailure(error) && /no tag "Mood"/.test(error.message),
    );
  });

  it('writes numbers, text, coils and single bits, and reads them back', async () => {
    const tags: RawRow[] = [
      { name: 'a', area: 'holding', address: 30, type: 'int16', scale: 0.1 },
      { name: 'b', area: 'holding', address: 31, type: 'float32', order: 'cdab' },
      { name: 'c', area: 'holding', address: 33, type: 'string', length: 5 },
      { name: 'bit', area: 'holding', address: 40, type: 'bool', bit: 9 },
      { name: 'flags', area: 'holding', address: 40, type: 'bits', bit: 14, length: 4 },
      { name: 'coil', area: 'coil', address: 5, type: 'bool' },
      { name: 'coils', area: 'coil', address: 6, type: 'bits', length: 3 },
    ];
    simulator.memory(1).holding[40] = 0x0101;
    const connection = link();
    const values = {
      a: -4.2,
      b: 1.5,
      c: 'abc',
      bit: true,
      flags: [true, false, true, true],
      coil: true,
      coils: [true, false, true],
    };
    const before = simulator.requests;
    const written = await node({ operation: 'write', tags }, connection).send({ payload: values });
    assert.deepEqual(byTag(readingsOf(written)), values);
    // One for a, b and c; one for the bit; two for the flags, which cross a register; one for all coils.
    const sent = simulator.functions.slice(-(simulator.requests - before)).filter((code) => code > 4);
    assert.deepEqual(sent, [16, 22, 22, 22, 15]);
    assert.deepEqual(byTag(readingsOf(await node({ tags }, connection).send({}))), values);
    assert.equal(simulator.memory(1).holding[40], 0x4301, 'the other bits of the register are untouched');
  });

  it('writes one value with functions 5 and 6, or 15 and 16 where the device wants those', async () => {
    const tags: RawRow[] = [
      { name: 'r', area: 'holding', address: 30, type: 'uint16' },
      { name: 'c', area: 'coil', address: 5, type: 'bool' },
    ];
    await node({ operation: 'write', tags }).send({ payload: { r: 7, c: true } });
    await node({ operation: 'write', tags }, link({ alwaysMultiple: true })).send({
      payload: { r: 8, c: false },
    });
    assert.deepEqual(
      simulator.functions.filter((code) => code > 4),
      [6, 5, 16, 15],
    );
    assert.equal(simulator.memory(1).holding[30], 8);
  });

  it('takes Readings and single values, and writes nothing when one of them is wrong', async () => {
    const tags: RawRow[] = [
      { name: 'r', area: 'holding', address: 30, type: 'uint16' },
      { name: 's', area: 'holding', address: 35, type: 'uint16' },
      { name: 'i', area: 'input', address: 0, type: 'uint16' },
    ];
    const { send } = node({ operation: 'write', tags });
    const reading = {
      tag: 'r',
      value: 5,
      quality: 'good',
      status: '',
      sourceTime: '',
      receivedTime: '',
      unit: '',
    };
    await send({ payload: reading });
    await send({ payload: [{ ...reading, tag: 's', value: 6 }] });
    await send({ payload: 9, tags: ['r'] });
    const memory = simulator.memory(1).holding;
    assert.deepEqual([memory[30], memory[35]], [9, 6]);
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [{ r: 1, s: 70_000 }, /"s".*0 to 65535/],
      [{ r: 1, i: 2 }, /"i" is an input register/],
      [{ r: 1, x: 2 }, /no tag "x"/],
      [[reading, { ...reading, tag: 's', quality: 'bad', value: null }], /"s" is bad/],
      [{}, /nothing to write/],
      [Array.from({ length: 10_001 }, () => reading), /10001 values/],
      [12, /nothing to write/],
      [undefined, /nothing to write/],
      [JSON.parse('{"__proto__": 1}'), /no tag "__proto__"/],
    ];
    for (const [payload, expected] of wrong) {
      await assert.rejects(send({ payload }), (error) => {
        assert.ok(isFailure(error));
        assert.equal(error.kind, 'rejected');
        assert.equal(error.reached, false);
        assert.match(error.message, expected);
        return true;
      });
    }
    assert.deepEqual([memory[30], memory[35]], [9, 6]);
  });

  it('says what was written before a write failed', async () => {
    const tags: RawRow[] = [
      { name: 'good', area: 'holding', address: 30, type: 'uint16' },
      { name: 'absent', area: 'holding', address: 20_000, type: 'uint16' },
    ];
    await assert.rejects(
      node({ operation: 'write', tags }).send({ payload: { good: 1, absent: 2 } }),
      (error) =>
        isFailure(error) &&
        error.code === 'ILLEGAL_ADDRESS' &&
        error.reached &&
        /Writing absent.*Written before: good/.test(error.message),
    );
  });

  it('a pulse whose confirmation is lost ends as outcome unknown; a set point is written again', async () => {
    const tags: RawRow[] = [{ name: 'pulse', area: 'coil', address: 2, type: 'bool' }];
    const raw = { operation: 'write', tags, retryStrategy: 'fixed', retryBase: '50ms', retryAttempts: 9 };
    const connection = link({ probeEvery: '100ms' });
    // Exception 11: the gateway passed the write on and got no confirmation from the unit.
    const lossy = (): void => {
      simulator.tamper((answer, request) => {
        if (request[7] !== 5) return answer;
        simulator.tamper(undefined);
        return Buffer.from([...request.subarray(0, 4), 0, 3, request[6] ?? 0, 0x85, 11]);
      });
    };
    const once = node({ ...raw, repeat: 'once' }, connection);
    const again = node({ ...raw, repeat: 'idempotent' }, connection);
    lossy();
    await assert.rejects(
      once.send({ payload: true }),
      (error) => isFailure(error) && error.code === 'OUTCOME_UNKNOWN',
    );
    lossy();
    await again.send({ payload: true });
    assert.equal(simulator.functions.filter((code) => code === 5).length, 3);
  });

  it('polls, and sends what changed', async () => {
    const tags: RawRow[] = [
      { name: 'still', area: 'holding', address: 200, type: 'uint16' },
      { name: 'moving', area: 'holding', address: 201, type: 'uint16' },
    ];
    const memory = simulator.memory(1).holding;
    memory[201] = 100;
    const { recorded } = harness.trigger(POLL, link(), {
      every: '10ms',
      emit: 'changes',
      deadbandKind: 'absolute',
      deadband: 5,
      heartbeat: '0s',
      tags,
    });
    assert.deepEqual(byTag(readingsOf([await recorded.next()])), { still: 1401, moving: 100 });
    memory[201] = 103;
    const polls = simulator.requests;
    while (simulator.requests < polls + 3) await new Promise((resolve) => setImmediate(resolve));
    memory[201] = 106;
    assert.deepEqual(byTag(readingsOf([await recorded.next()])), { moving: 106 });
    assert.equal(recorded.sent.length, 2);
  });

  it('answers a scan of 1,000 tags in 100 blocks with ten requests', async () => {
    const tags = Array.from({ length: 1000 }, (_, i) => ({
      name: `t${i}`,
      area: 'holding',
      address: 100 + Math.floor(Math.floor(i / 10) * 12.5) + (i % 10),
      type: 'uint16',
    }));
    const { send } = node({ tags });
    await send({});
    const before = simulator.requests;
    const readings = readingsOf(await send({}));
    assert.equal(simulator.requests - before, 10);
    assert.equal(readings.length, 1000);
    for (const [i, { value }] of readings.entries())
      assert.equal(value, ((tags[i]?.address ?? 0) * 7 + 1) % 65_536);
  });

  it('finds its way around a device that reads fewer registers than the standard allows', async () => {
    const small = await start({ port: 0, seed: 1, clock: systemClock, maxRegisters: 20 });
    try {
      const tags = Array.from({ length: 100 }, (_, i) => ({
        name: `t${i}`,
        area: 'holding',
        address: 100 + i,
        type: 'uint16',
      }));
      const readings = readingsOf(await node({ tags }, link({ port: small.port })).send({}));
      assert.ok(readings.every(({ quality }) => quality === 'good'));
    } finally {
      await small.close();
    }
  });

  it('finds out how many requests a device takes at once, without a bad reading', async () => {
    const modest = await start({ port: 0, seed: 1, clock: systemClock, busyAbove: 4 });
    try {
      const tags = Array.from({ length: 40 }, (_, i) => ({
        name: `t${i}`,
        area: 'holding',
        address: 100 + i * 10,
        type: 'uint16',
      }));
      const { send } = node({ tags }, link({ port: modest.port, gap: 0 }));
      for (let i = 0; i < 60; i += 1) {
        assert.deepEqual([...new Set(readingsOf(await send({})).map(({ status }) => status))], ['']);
      }
      assert.ok(modest.requests > 60 * 40, 'the window was tried beyond what the device takes');
    } finally {
      await modest.close();
    }
  });

  it('goes red in one sentence when a row of the table is wrong', () => {
    assert.throws(
      () => node({ tags: [{ name: 'x', area: 'coil', address: 0, type: 'float32' }] }),
      (error) => isFailure(error) && error.kind === 'config' && /"x".*bool or bits/.test(error.message),
    );
  });
});

describe('modbus: against the server of modbus-serial', () => {
  it('reads and writes the same values as that independent server holds', async () => {
    const holding = new Map<number, number>();
    const coils = new Map<number, boolean>();
    const server = new ServerTCP(
      {
        getHoldingRegister: (address: number) => holding.get(address) ?? address,
        getInputRegister: (address: number, unit: number) => address + unit * 1000,
        getCoil: (address: number) => coils.get(address) ?? false,
        getDiscreteInput: (address: number) => address % 3 === 0,
        setRegister: (address: number, value: number) => void holding.set(address, value),
        setCoil: (address: number, value: boolean) => void coils.set(address, value),
      },
      { host: '127.0.0.1', port: 0, unitID: 255 },
    );
    await once(server, 'initialized');
    const { port } = (server as unknown as { _server: Server })._server.address() as AddressInfo;
    const harness = new Harness();
    try {
      const { connection } = harness.connection(connector, { host: '127.0.0.1', port });
      const tags: RawRow[] = [
        { name: 'register', area: 'holding', address: 500, type: 'uint16' },
        { name: 'float', area: 'holding', address: 600, type: 'float32', order: 'dcba' },
        { name: 'input', unit: 3, area: 'input', address: 12, type: 'uint16' },
        { name: 'bits', area: 'discrete', address: 10, type: 'bits', length: 9 },
        { name: 'coil', area: 'coil', address: 7, type: 'bool' },
      ];
      const write = harness.adapter(NODE, connection, { operation: 'write', tags });
      await write.send({ payload: { float: -2.5, coil: true } });
      const read = harness.adapter(NODE, connection, { tags });
      assert.deepEqual(byTag(readingsOf(await read.send({}))), {
        register: 500,
        float: -2.5,
        input: 3012,
        bits: [10, 11, 12, 13, 14, 15, 16, 17, 18].map((address) => address % 3 === 0),
        coil: true,
      });
      assert.deepEqual([holding.get(600), holding.get(601)], [0x0000, 0x20c0]);
    } finally {
      await harness.close();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  });
});
