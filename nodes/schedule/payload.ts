import type { TypedValue } from '../../lib/spec';

/** The payload of one run. As in Node-RED's inject node, an empty date is milliseconds, 'iso' is text. */
export function payloadOf({ type, value }: TypedValue, now: number): unknown {
  switch (type) {
    case 'date':
      if (value === 'iso') return new Date(now).toISOString();
      return value === 'object' ? new Date(now) : now;
    case 'num':
      return Number(value);
    case 'bool':
      return value === 'true';
    case 'json':
      // Parsed anew each time: the message owns the object and may change it.
      return JSON.parse(value) as unknown;
    default:
      return value;
  }
}
