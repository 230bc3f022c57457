/** From settings to schedules, with every problem named by its row. */
import { Failure } from '../../lib/core';
import { parseDuration, type ValuesOf } from '../../lib/spec';
import { VERBS } from './commands';
import { parseCron } from './cron-expression';
import type { Plan } from './engine';
import type { fields } from './fields';
import { cronSlots, intervalSlots, type Slots } from './slots';
import { Zone } from './zone';

type Config = ValuesOf<typeof fields>;
type Row = Config['schedules'][number];

const SHORTEST_MS = 100;
const LONGEST_MS = 366 * 86_400_000;
/** "All" missed runs stops here; nobody wants a million messages after a clock was set. */
const MOST_MADE_UP = 1000;

export function planOf(config: Config): Plan {
  const problems: string[] = [];
  const attempt = <T>(what: string, fn: () => T): T | undefined => {
    try {
      return fn();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}.`);
      return undefined;
    }
  };
  const zone = attempt(fieldName('Time zone', config.timeZone), () => zoneOf(config.timeZone));
  const specs = config.schedules.flatMap((row, i) => {
    const place = `Schedules, row ${i + 1} (${row.name})`;
    if (VERBS.some((verb) => verb === row.name)) problems.push(`${place}, Name: this word is a command.`);
    const slots = attempt(`${place}, When`, () => slotsOf(row, zone ?? new Zone('UTC')));
    if (!slots) return [];
    const key = [row.kind, row.when.trim(), row.kind === 'cron' ? (zone?.name ?? '') : ''].join(' ');
    const claimed = row.kind === 'cron';
    return [{ name: row.name, key, claimed, slots, topic: row.topic, payload: row.payload }];
  });
  if (problems.length > 0) {
    throw new Failure('config', 'BAD_CONFIG', problems.join(' '), { reached: false, details: { problems } });
  }
  const { dst, jitter, ledgerSize, runOnDeploy } = config;
  const policy = { dst, makeUp: makeUp(config), jitterMs: jitter };
  return { specs, policy, timeZone: zone?.name ?? 'UTC', ledgerSize, runOnDeploy };
}

function fieldName(label: string, value: string): string {
  return value === '' ? label : `${label} "${value}"`;
}

function zoneOf(name: string): Zone {
  try {
    return new Zone(name.trim());
  } catch {
    throw new Error('this is no IANA time zone such as "Europe/Berlin"');
  }
}

function slotsOf({ kind, when }: Row, zone: Zone): Slots {
  if (kind === 'interval') {
    const every = parseDuration(when);
    if (every === undefined) throw new Error(`"${when}" is no interval such as "30s", "15m" or "2h"`);
    if (every < SHORTEST_MS || every > LONGEST_MS) throw new Error(`"${when}" is not between 100ms and 366d`);
    return intervalSlots(Math.round(every));
  }
  try {
    return cronSlots(parseCron(when), zone);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`"${when}" is no cron expression that can run: ${why.replace(/\.$/, '')}`);
  }
}

function makeUp({ missed, missedLimit }: Config): number {
  switch (missed) {
    case 'none':
      return 0;
    case 'last':
      return 1;
    case 'limited':
      return missedLimit;
    case 'all':
      return MOST_MADE_UP;
  }
}
