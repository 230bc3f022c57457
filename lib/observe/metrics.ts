import { Meter, type MeterSnapshot } from './meter';

/** A runtime with more nodes than this is counted in one common series. */
const MOST_SERIES = 2_000;
const LONGEST_LABEL = 100;

export type SeriesRole = 'connection' | 'node';
export interface SeriesLabels {
  readonly role: SeriesRole;
  readonly id: string;
  readonly name: string;
  readonly type: string;
}
export interface SeriesSnapshot extends MeterSnapshot {
  readonly labels: SeriesLabels;
}
interface Series {
  readonly labels: SeriesLabels;
  readonly meter: Meter;
}

/** The meters of all connections and nodes of a runtime; bounded in number and in length of labels. */
export class Metrics {
  readonly #series = new Map<string, Series>();
  readonly #limit: number;
  #other: Series | undefined;

  constructor(limit = MOST_SERIES) {
    this.#limit = limit;
  }

  /** The meter of a connection: the same for the same id, until `remove`. */
  connection(id: string, name: string, type: string): Meter {
    return this.#meter({ role: 'connection', id, name, type });
  }

  node(id: string, name: string, type: string): Meter {
    return this.#meter({ role: 'node', id, name, type });
  }

  /** Ends the series of this id. Its meter may still be used, but is no longer shown. */
  remove(id: string): void {
    const label = clean(id);
    this.#series.delete(keyOf('connection', label));
    this.#series.delete(keyOf('node', label));
  }

  snapshot(): readonly SeriesSnapshot[] {
    const all = [...this.#series.values(), ...(this.#other ? [this.#other] : [])];
    return all.map(({ labels, meter }) => ({ labels, ...meter.snapshot() }));
  }

  #meter(asked: SeriesLabels): Meter {
    const { role } = asked;
    const labels = { role, id: clean(asked.id), name: clean(asked.name), type: clean(asked.type) };
    const key = keyOf(role, labels.id);
    const known = this.#series.get(key);
    if (!known && this.#series.size >= this.#limit) return this.#overflow();
    const meter = known?.meter ?? new Meter();
    this.#series.set(key, { labels, meter });
    return meter;
  }

  #overflow(): Meter {
    const labels: SeriesLabels = { role: 'node', id: '', name: 'other', type: 'other' };
    return (this.#other ??= { labels, meter: new Meter() }).meter;
  }
}

const keyOf = (role: SeriesRole, id: string): string => `${role} ${id}`;

function clean(label: string): string {
  return label.replace(/\p{Cc}/gu, ' ').slice(0, LONGEST_LABEL);
}
