/** The simulator against an independent client, on that client's own transport. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import ModbusRTU from 'modbus-serial';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { start } from './simulator';
import type { ModbusSimulator, ModbusSimulatorOptions } from './simulator';

describe('modbus: the simulated device', () => {
  let clock: VirtualClock;
  let device: ModbusSimulator;
  let client: ModbusRTU;

  async function open(options: Partial<ModbusSimulatorOptions> = {}): Promise<void> {
    clock = new VirtualClock();
    device = await start({ port: 0, seed: 7, clock, ...options });
    client = new ModbusRTU();
    await client.connectTCP(device.host, { port: device.port });
    client.setID(1);
  }
  afterEach(async () => {
    await new Promise<void>((resolve) => client.close(() => resolve()));
    await device.close();
  });
  const refusal = (code: number) => (error: unknown) =>
    (error as { modbusCode?: number }).modbusCode === code;

  it('serves every function that it promises', async () => {
    await open();
    await client.writeCoil(20, true);
    await client.writeCoils(21, [true, false, true, true, false, false, true, true, true]);
    assert.deepEqual((await client.readCoils(20, 10)).data.slice(0, 10), [
      true,
      true,
      false,
      true,
      true,
      false,
      false,
      true,
      true,
      true,
    ]);
    await client.writeRegister(30, 0x1234);
    await client.writeRegisters(31, [1, 65_535]);
    assert.deepEqual((await client.readHoldingRegisters(30, 3)).data, [0x1234, 1, 65_535]);
    await client.maskWriteRegister(30, 0x00ff, 0x5600);
    assert.deepEqual((await client.readHoldingRegisters(30, 1)).data, [0x5634]);
    const both = await new Promise<number[]>((resolve, reject) => {
      client.writeFC23(1, 30, 2, 31, 1, [99], (error, result) =>
        error ? reject(error) : resolve(result.data),
      );
    });
    assert.deepEqual(both, [0x5634, 99]);
    assert.equal((await client.readDiscreteInputs(0, 4)).data.length, 8);
    assert.equal((await client.readInputRegisters(0, 14)).data.length, 14);
  });

  it('refuses as the standard says', async () => {
    await open({ maxRegisters: 50 });
    await assert.rejects(client.readHoldingRegisters(20_000, 1), refusal(2));
    await assert.rejects(client.readHoldingRegisters(9_999, 2), refusal(2));
    await assert.rejects(client.readHoldingRegisters(0, 51), refusal(3));
    await assert.rejects(client.customFunction(100, [0, 0]), refusal(1));
    client.setID(77);
    await assert.rejects(client.readHoldingRegisters(0, 1), refusal(11));
    device.memory(1).missing.add('holding:5');
    client.setID(1);
    await assert.rejects(client.readHoldingRegisters(4, 3), refusal(2));
    assert.equal((await client.readHoldingRegisters(6, 3)).data.length, 3);
  });

  it('answers late when told so', async () => {
    await open({ delayMs: 500 });
    const answer = client.readHoldingRegisters(0, 1);
    while (device.requests === 0 && clock.pending === 0)
      await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(500);
    assert.deepEqual((await answer).data, [800]);
    assert.equal(device.requests, 1);
  });

  it('moves with its clock, the same way for the same seed', async () => {
    await open();
    const read = async (): Promise<number[]> => (await client.readInputRegisters(0, 6)).data;
    const first = await read();
    assert.deepEqual(await read(), first, 'time stands still');
    await clock.advance(60_000);
    const later = await read();
    assert.notDeepEqual(later, first);
    const twin = await start({ port: 0, seed: 7, clock: new VirtualClock() });
    const registers = [...twin.memory(1).input.subarray(0, 6)];
    await twin.close();
    assert.deepEqual(registers, first);
  });

  it('closes a connection that speaks something else', async () => {
    await open();
    const socket = connect(device.port, device.host);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    assert.deepEqual((await client.readHoldingRegisters(1, 1)).data, [1]);
  });
});
