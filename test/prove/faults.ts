/**
 * `npm run prove:faults`: the disk fills up or fails, the clock jumps, the broker is killed under load. Nothing that was
 * confirmed is lost, nothing else stands still, and everything resumes by itself.
 */
import { brokerKills, natsBroker, rabbitBroker } from './broker-kills';
import { clockJumps } from './clock-jumps';
import { compile } from './compile';
import { diskErrors } from './disk-errors';
import { diskFull } from './disk-full';
import { printRows, type Row } from './faults-report';
import { command, type Options } from './options';
import { scratch } from './scratch';
import { straceMissing } from './strace';

async function main({ quick, only }: Options): Promise<boolean> {
  const missing = straceMissing();
  if (missing !== undefined) throw new Error(missing);
  const compiled = compile();
  const directory = scratch('holdfast-prove-faults-');
  const parts: readonly { readonly name: string; readonly run: () => Promise<readonly Row[]> }[] = [
    { name: 'disk full', run: async () => [await diskFull(compiled.program('steady-victim'), directory)] },
    { name: 'failing disk', run: () => diskErrors(compiled.program('steady-victim'), directory, quick) },
    { name: 'NATS', run: async () => [await brokerKills(natsBroker)] },
    { name: 'RabbitMQ', run: async () => [await brokerKills(rabbitBroker)] },
    { name: 'clock', run: async () => [await clockJumps(compiled.program('clock-victim'), directory)] },
  ];
  const rows: Row[] = [];
  for (const part of parts.filter(({ name }) => name.includes(only))) {
    console.error(`${part.name} …`);
    rows.push(...(await part.run()));
  }
  printRows(rows);
  return rows.length > 0 && rows.every(({ faults }) => faults.length === 0);
}

command(main);
