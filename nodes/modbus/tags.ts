/** The tag table: its columns, and what a row means once addresses and byte orders are resolved. */
import { Failure } from '../../lib/core';
import { choice, int, number, table, text } from '../../lib/spec';
import type { ValuesOf } from '../../lib/spec';
import { registersOf } from './codec';
import type { ByteOrder, ValueType } from './codec';

export type Area = 'coil' | 'discrete' | 'holding' | 'input';
export const isBitArea = (area: Area): boolean => area === 'coil' || area === 'discrete';

/** Limits of one read request: V1.1b3, sections 6.1 to 6.4. */
export const MAX_READ_REGISTERS = 125;
export const MAX_READ_BITS = 2000;

export const addressing = choice({
  label: 'Addresses',
  help:
    'How the addresses in the tag table count. Protocol addresses start at 0 and are what goes over the wire. ' +
    'Register numbers start at 1. Modicon numbers carry the area in front: 40001 or 400001 is holding register 0, ' +
    '30001 input register 0, 10001 discrete input 0 and 1 coil 0.',
  default: 'protocol',
  options: {
    protocol: 'Protocol addresses from 0',
    register: 'Register numbers from 1',
    modicon: 'Modicon numbers such as 40001',
  },
});
export type Addressing = 'protocol' | 'register' | 'modicon';

/** Shared by the adapter and the trigger. */
export const tagTable = table({
  label: 'Tags',
  help: 'Each row is one value of the device. A table copied from a spreadsheet can be pasted.',
  default: [],
  minRows: 1,
  maxRows: 10_000,
  unique: ['name'],
  columns: {
    name: text({ label: 'Name', help: 'Readings carry this name.', default: '', maxLength: 200 }),
    unit: int({
      label: 'Unit id',
      help: 'The unit behind a gateway. Empty takes the unit id of the connection.',
      default: undefined,
      optional: true,
      min: 0,
      max: 255,
    }),
    area: choice({
      label: 'Area',
      help: 'The table of the device that holds the value.',
      default: 'holding',
      options: {
        coil: 'Coil',
        discrete: 'Discrete input',
        holding: 'Holding register',
        input: 'Input register',
      },
    }),
    address: int({
      label: 'Address',
      help: 'The first address of the value, counted as chosen above.',
      default: 0,
      min: 0,
      max: 465_536,
    }),
    type: choice({
      label: 'Type',
      help: 'The type says how bits and registers make a value.',
      default: 'uint16',
      options: {
        bool: 'bool',
        int16: 'int16',
        uint16: 'uint16',
        int32: 'int32',
        uint32: 'uint32',
        int64: 'int64',
        uint64: 'uint64',
        float32: 'float32',
        float64: 'float64',
        string: 'string',
        bits: 'bits',
      },
    }),
    order: choice({
      label: 'Byte order',
      help: 'This is the order in which bytes and words arrive. A is the most significant byte.',
      default: 'device',
      options: {
        device: 'As the connection',
        abcd: 'ABCD (big endian)',
        cdab: 'CDAB (words swapped)',
        badc: 'BADC (bytes swapped)',
        dcba: 'DCBA (little endian)',
      },
    }),
    length: int({
      label: 'Length',
      help: 'A string needs its characters, bits need their number. Other types have their own length.',
      default: undefined,
      optional: true,
      min: 1,
      max: MAX_READ_BITS,
    }),
    bit: int({
      label: 'Bit',
      help: 'A bool or bits tag in a register begins at this bit. 0 is the least significant.',
      default: undefined,
      optional: true,
      min: 0,
      max: 15,
    }),
    scale: number({
      label: 'Scale',
      help: 'The raw value is multiplied by this.',
      default: undefined,
      optional: true,
    }),
    offset: number({
      label: 'Offset',
      help: 'This is added after scaling.',
      default: undefined,
      optional: true,
    }),
    eu: text({
      label: 'Engineering unit',
      help: 'Readings carry this unit, such as °C.',
      default: '',
      optional: true,
      maxLength: 40,
    }),
  },
});
export type TagRow = ValuesOf<{ tags: typeof tagTable }>['tags'][number];

/** A row with every default resolved. */
export interface Tag {
  readonly name: string;
  readonly unit: number;
  readonly area: Area;
  /** Protocol address, from 0. */
  readonly address: number;
  /** Registers, or bits in a bit area. */
  readonly span: number;
  readonly type: ValueType;
  readonly order: ByteOrder;
  /** Characters of a string; number of bits. */
  readonly length: number;
  readonly bit: number;
  readonly scale: number;
  readonly offset: number;
  readonly eu: string;
}

/** What the connection adds to a row. */
export interface DeviceDefaults {
  readonly unit: number;
  readonly order: ByteOrder;
}

/** Checks rows that a form cannot check cell by cell. Throws a `config` Failure with every problem. */
export function resolveTags(rows: readonly TagRow[], counting: Addressing, device: DeviceDefaults): Tag[] {
  const problems: string[] = [];
  const tags = rows.map((row) => {
    const { tag, problem } = resolveTag(row, counting, device);
    if (problem) problems.push(`Tag "${row.name}" ${problem}.`);
    return tag;
  });
  if (problems.length === 0) return tags;
  const shown = problems.slice(0, 10).join(' ');
  const more = problems.length > 10 ? ` And ${problems.length - 10} more tags have problems.` : '';
  throw new Failure('config', 'BAD_CONFIG', shown + more, { reached: false, details: { problems } });
}

function resolveTag(
  row: TagRow,
  counting: Addressing,
  device: DeviceDefaults,
): { tag: Tag; problem: string | undefined } {
  const bits = isBitArea(row.area);
  const length = row.length ?? 1;
  const bit = row.bit ?? 0;
  const address = protocolAddress(row.address, row.area, counting);
  const span = bits ? (row.type === 'bits' ? length : 1) : registersOf(row.type, length, bit);
  const tag: Tag = {
    name: row.name,
    unit: row.unit ?? device.unit,
    area: row.area,
    address: address ?? 0,
    span,
    type: row.type,
    order: row.order === 'device' ? device.order : row.order,
    length,
    bit,
    scale: row.scale ?? 1,
    offset: row.offset ?? 0,
    eu: row.eu,
  };
  return { tag, problem: problemOf(row, tag, address, counting) };
}

function problemOf(
  row: TagRow,
  tag: Tag,
  address: number | undefined,
  counting: Addressing,
): string | undefined {
  const bits = isBitArea(tag.area);
  if (address === undefined)
    return `has address ${row.address}, which is no ${ADDRESS_WORDS[counting]} of that area`;
  if (address + tag.span > 65_536) return 'reaches past the last address, 65535';
  if (bits && tag.type !== 'bool' && tag.type !== 'bits')
    return 'is in a bit area and can only be bool or bits';
  if (tag.type === 'string' && row.length === undefined)
    return 'is a string and needs a length in characters';
  if (tag.type === 'bits' && row.length === undefined) return 'is of type bits and needs a length in bits';
  if (tag.span > (bits ? MAX_READ_BITS : MAX_READ_REGISTERS))
    return 'is longer than one Modbus request can read';
  if (row.scale === 0) return 'has scale 0, which makes every value the same';
  return undefined;
}

const ADDRESS_WORDS: Record<Addressing, string> = {
  protocol: 'protocol address (0 to 65535)',
  register: 'register number (1 to 65536)',
  modicon: 'Modicon number (40001 for the first holding register)',
};
const MODICON_DIGIT: Record<Area, number> = { coil: 0, discrete: 1, input: 3, holding: 4 };

/** Undefined when the number does not exist in that area. */
function protocolAddress(shown: number, area: Area, counting: Addressing): number | undefined {
  if (counting === 'protocol') return shown < 65_536 ? shown : undefined;
  if (counting === 'register') return shown >= 1 && shown <= 65_536 ? shown - 1 : undefined;
  const digit = MODICON_DIGIT[area];
  const five = shown - digit * 10_000;
  if (five >= 1 && five <= 9999) return five - 1;
  const six = shown - digit * 100_000;
  return six >= 1 && six <= 65_536 ? six - 1 : undefined;
}
