/** One value of one tag at one time: what every plant, historian and emission node emits. */

export const QUALITIES = ['good', 'uncertain', 'bad'] as const;
export type Quality = (typeof QUALITIES)[number];

export interface Reading {
  tag: string;
  /** Null when the quality is bad and no value is known. */
  value: unknown;
  quality: Quality;
  /** The vendor's or protocol's own status code, as text. Empty when there is none. */
  status: string;
  /** When the source says the value was valid, ISO 8601 UTC. */
  sourceTime: string;
  /** When Holdfast received it, ISO 8601 UTC. */
  receivedTime: string;
  /** Engineering unit, empty when there is none. */
  unit: string;
}

export function isReading(value: unknown): value is Reading {
  if (typeof value !== 'object' || value === null) return false;
  const r = value as Partial<Reading>;
  return typeof r.tag === 'string' && 'value' in r && QUALITIES.includes(r.quality as Quality);
}
