/** Seeded data of the simulated API: orders of a small plant and readings of one machine. */

export interface Order {
  id: string;
  article: string;
  quantity: number;
  state: 'open' | 'running' | 'done';
  due: string;
}

const ARTICLES = ['pump housing', 'gear shaft', 'flange', 'valve seat', 'bearing cap', 'rotor'] as const;
const STATES = ['open', 'running', 'done'] as const;
const ORDERS = 57;
const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 5, 6);

/** mulberry32: the same seed gives the same numbers. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function seedOrders(random: () => number): Order[] {
  const pick = <T>(from: readonly [T, ...T[]]): T => from[Math.floor(random() * from.length)] ?? from[0];
  return Array.from({ length: ORDERS }, (_, i) => ({
    id: `A${1001 + i}`,
    article: pick(ARTICLES),
    quantity: 10 * (1 + Math.floor(random() * 50)),
    state: pick(STATES),
    due: new Date(START + i * DAY).toISOString(),
  }));
}

const TAGS = [
  { tag: 'press/temperature', unit: '°C', base: 78, span: 6 },
  { tag: 'press/pressure', unit: 'bar', base: 142, span: 8 },
  { tag: 'press/cycles', unit: '1/h', base: 310, span: 40 },
] as const;

export function readings(nowMs: number, random: () => number): object[] {
  const time = new Date(nowMs).toISOString();
  return TAGS.map(({ tag, unit, base, span }) => ({
    tag,
    value: Math.round((base + (random() - 0.5) * span) * 10) / 10,
    quality: 'good',
    status: '',
    sourceTime: time,
    receivedTime: time,
    unit,
  }));
}
