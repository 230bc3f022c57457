/**
 * Text of PostgreSQL to values, by type number (pg_type.dat). Exact or text: int8 stays exact, numeric and
 * times stay text with all their digits.
 */
import { exactInteger } from './integers';

const BOOL = 16;
const BYTEA = 17;
const INT8 = 20;
const INT2 = 21;
const INT4 = 23;
const JSON_TYPE = 114;
const JSONB = 3802;
const FLOAT4 = 700;
const FLOAT8 = 701;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

import type { Room } from './room';

type Parser = (text: string) => unknown;
const PARSERS: Readonly<Record<number, Parser>> = {
  [BOOL]: (text) => text === 't',
  [BYTEA]: (text) => Buffer.from(text.slice(2), 'hex'),
  [INT2]: Number,
  [INT4]: Number,
  [INT8]: exactInteger,
  [FLOAT4]: Number,
  [FLOAT8]: Number,
  [JSON_TYPE]: (text) => JSON.parse(text) as unknown,
  [JSONB]: (text) => JSON.parse(text) as unknown,
  [TIMESTAMP]: (text) => text.replace(' ', 'T'),
  // The session's time zone is UTC.
  [TIMESTAMPTZ]: (text) => text.replace(' ', 'T').replace(/\+00$/, 'Z'),
};
const asText: Parser = (text) => text;

/** The driver keeps no row after a parser has thrown, and rejects at the end of the result. */
export function postgresTypes(room: Room): { getTypeParser(type: number): Parser } {
  return {
    getTypeParser(type) {
      const parse = PARSERS[type] ?? asText;
      return (text) => {
        room.take(text);
        return parse(text);
      };
    },
  };
}
