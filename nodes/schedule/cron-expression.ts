/**
 * Cron expressions. The library `cron` reads them (five or six fields, names, presets); the next time is
 * computed here, on whole numbers, because the library walks second by second (0.7 ms a step measured) and
 * decides about clock changes by itself.
 */
import { createRequire } from 'node:module';
import type * as CronLibrary from 'cron';

/** Loads the library when the first node starts, not with the palette. */
const load = createRequire(__filename);

const DAY = 86_400_000;
/** 29 February can be eight years away (1896, 1904; 2096, 2104). */
const SEARCH_DAYS = 366 * 9;
const LONGEST_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Allowed values of each field, ascending. */
export interface CronFields {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  /** 1 to 12. */
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly weekdays: readonly number[];
}

/** What the library holds after parsing; private in its types, so it is checked here. */
type Parsed = Partial<Record<'second' | 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek', object>>;

/** Throws an Error whose message says what is wrong with the expression. */
export function parseCron(expression: string): CronFields {
  const { CronTime } = load('cron') as typeof CronLibrary;
  const parsed = new CronTime(expression.trim(), 'UTC') as unknown as Parsed;
  const values = (field: object | undefined): readonly number[] => {
    if (!field) throw new Error('the installed version of the library "cron" is not supported');
    return Object.keys(field)
      .map(Number)
      .sort((a, b) => a - b);
  };
  const fields = {
    seconds: values(parsed.second),
    minutes: values(parsed.minute),
    hours: values(parsed.hour),
    days: values(parsed.dayOfMonth),
    months: values(parsed.month),
    weekdays: values(parsed.dayOfWeek),
  };
  if (isImpossible(fields)) throw new Error('no month in it has such a day, so it would never run');
  return fields;
}

/** A restricted weekday always comes; a day of the month only when one of the months is long enough. */
function isImpossible({ days, months, weekdays }: CronFields): boolean {
  if (weekdays.length < 7) return false;
  return !months.some((month) => (days[0] ?? 0) <= (LONGEST_MONTH[month - 1] ?? 0));
}

/** Whether the expression names no hour: then it follows elapsed time and no clock change concerns it. */
export function runsEveryHour({ hours }: CronFields): boolean {
  return hours.length === 24;
}

/** The first wall time after `wall` that matches; both are milliseconds since 1970 as if UTC. */
export function nextWall(fields: CronFields, wall: number): number | undefined {
  const start = Math.floor(wall / 1000) * 1000 + 1000;
  let day = Math.floor(start / DAY) * DAY;
  let time: number | undefined = matchesDay(fields, day) ? timeFrom(fields, start - day) : undefined;
  for (let i = 0; time === undefined && i < SEARCH_DAYS; i += 1) {
    day += DAY;
    if (matchesDay(fields, day)) time = timeFrom(fields, 0);
  }
  return time === undefined ? undefined : day + time;
}

/** As in cron(8): when both day fields are restricted, either is enough. */
function matchesDay({ days, months, weekdays }: CronFields, day: number): boolean {
  const date = new Date(day);
  if (!months.includes(date.getUTCMonth() + 1)) return false;
  const byDay = days.includes(date.getUTCDate());
  const byWeekday = weekdays.includes(date.getUTCDay());
  return days.length < 31 && weekdays.length < 7 ? byDay || byWeekday : byDay && byWeekday;
}

/** The first matching time of day at or after `from`, in milliseconds since midnight. */
function timeFrom({ hours, minutes, seconds }: CronFields, from: number): number | undefined {
  const total = Math.floor(from / 1000);
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const [firstMinute = 0, firstSecond = 0] = [minutes[0], seconds[0]];
  const at = (hour: number, minute: number, second: number): number =>
    ((hour * 60 + minute) * 60 + second) * 1000;
  if (hours.includes(h)) {
    const second = minutes.includes(m) ? seconds.find((one) => one >= s) : undefined;
    if (second !== undefined) return at(h, m, second);
    const minute = minutes.find((one) => one > m);
    if (minute !== undefined) return at(h, minute, firstSecond);
  }
  const hour = hours.find((one) => one > h);
  return hour === undefined ? undefined : at(hour, firstMinute, firstSecond);
}
