/**
 * Engineering units: value in base unit = value * factor + offset.
 * Factors are exact by definition or from NIST SP 811 (2008), appendix B.8.
 */

type Unit = readonly [quantity: string, factor: number, offset?: number];

const INCH = 0.0254;
const POUND = 0.45359237;
const PSI = 6894.757293168;
const GALLON = 231 * INCH ** 3;
const CUBIC_FOOT = (12 * INCH) ** 3;
const BTU = 1055.05585262;

const UNITS: Readonly<Record<string, Unit>> = {
  '°C': ['temperature', 1, 273.15],
  '°F': ['temperature', 5 / 9, 273.15 - (32 * 5) / 9],
  K: ['temperature', 1],
  '°R': ['temperature', 5 / 9],
  Pa: ['pressure', 1],
  hPa: ['pressure', 100],
  kPa: ['pressure', 1000],
  MPa: ['pressure', 1e6],
  mbar: ['pressure', 100],
  bar: ['pressure', 1e5],
  psi: ['pressure', PSI],
  atm: ['pressure', 101_325],
  torr: ['pressure', 101_325 / 760],
  mmHg: ['pressure', 133.322387415],
  inHg: ['pressure', 3386.388640341],
  inH2O: ['pressure', 249.08891],
  'm³/s': ['volume flow', 1],
  'm³/min': ['volume flow', 1 / 60],
  'm³/h': ['volume flow', 1 / 3600],
  'l/s': ['volume flow', 1e-3],
  'l/min': ['volume flow', 1e-3 / 60],
  'l/h': ['volume flow', 1e-3 / 3600],
  'gal/min': ['volume flow', GALLON / 60],
  'ft³/min': ['volume flow', CUBIC_FOOT / 60],
  'kg/s': ['mass flow', 1],
  'kg/min': ['mass flow', 1 / 60],
  'kg/h': ['mass flow', 1 / 3600],
  't/h': ['mass flow', 1000 / 3600],
  'lb/h': ['mass flow', POUND / 3600],
  µm: ['length', 1e-6],
  mm: ['length', 1e-3],
  cm: ['length', 1e-2],
  m: ['length', 1],
  km: ['length', 1000],
  in: ['length', INCH],
  ft: ['length', 12 * INCH],
  yd: ['length', 36 * INCH],
  mi: ['length', 63_360 * INCH],
  mg: ['mass', 1e-6],
  g: ['mass', 1e-3],
  kg: ['mass', 1],
  t: ['mass', 1000],
  oz: ['mass', POUND / 16],
  lb: ['mass', POUND],
  J: ['energy', 1],
  kJ: ['energy', 1000],
  MJ: ['energy', 1e6],
  Wh: ['energy', 3600],
  kWh: ['energy', 3.6e6],
  MWh: ['energy', 3.6e9],
  cal: ['energy', 4.1868],
  kcal: ['energy', 4186.8],
  BTU: ['energy', BTU],
  W: ['power', 1],
  kW: ['power', 1000],
  MW: ['power', 1e6],
  hp: ['power', 745.699871582],
  ml: ['volume', 1e-6],
  l: ['volume', 1e-3],
  hl: ['volume', 0.1],
  'm³': ['volume', 1],
  gal: ['volume', GALLON],
  'ft³': ['volume', CUBIC_FOOT],
  'm/s': ['speed', 1],
  'm/min': ['speed', 1 / 60],
  'km/h': ['speed', 1 / 3.6],
  mph: ['speed', (63_360 * INCH) / 3600],
  'ft/s': ['speed', 12 * INCH],
  ms: ['time', 1e-3],
  s: ['time', 1],
  min: ['time', 60],
  h: ['time', 3600],
  d: ['time', 86_400],
};

/** Other ways to write the same unit. */
const ALIASES: Readonly<Record<string, string>> = {
  C: '°C',
  degC: '°C',
  F: '°F',
  degF: '°F',
  R: '°R',
  gpm: 'gal/min',
  cfm: 'ft³/min',
  um: 'µm',
  μm: 'µm',
  L: 'l',
  mL: 'ml',
};

export const UNIT_NAMES: readonly string[] = Object.keys(UNITS);

/** A linear function, or a sentence part that says why there is none. */
export type Conversion = { readonly factor: number; readonly offset: number } | { readonly problem: string };

export function conversion(from: string, to: string): Conversion {
  const source = find(from);
  const target = find(to);
  if (!source) return { problem: `the unit "${from}" is not known` };
  if (!target) return { problem: `the unit "${to}" is not known` };
  if (source[0] !== target[0]) {
    return { problem: `"${from}" is a unit of ${source[0]}, "${to}" of ${target[0]}` };
  }
  const [, factor, offset = 0] = source;
  const [, toFactor, toOffset = 0] = target;
  return { factor: factor / toFactor, offset: (offset - toOffset) / toFactor };
}

function find(name: string): Unit | undefined {
  const plain = name
    .trim()
    .replace(/L(?=\/)/, 'l')
    .replace(/(?<=m|ft)3/, '³');
  const known = Object.hasOwn(ALIASES, plain) ? ALIASES[plain] : plain;
  return known !== undefined && Object.hasOwn(UNITS, known) ? UNITS[known] : undefined;
}
