import type { Metric, Registry } from 'prom-client';
import { LATENCY_BOUNDS_MS } from './histogram';
import type { CounterName } from './meter';
import type { Metrics, SeriesSnapshot } from './metrics';

/** One line of the format: our own labels next to those of the series. */
interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  samples(series: SeriesSnapshot): readonly Sample[];
}

/** Those that are lines of one family stand below. */
type PlainCounter = Exclude<CounterName, 'droppedFull' | 'droppedOld' | 'droppedPurged'>;

const COUNTER_HELP: Readonly<Record<PlainCounter, readonly [string, string]>> = {
  in: ['messages_in_total', 'Messages that arrived.'],
  out: ['messages_out_total', 'Messages finished with success.'],
  failed: ['messages_failed_total', 'Messages that ended with a failure.'],
  cancelled: ['messages_cancelled_total', 'Messages ended by a stop or redeploy.'],
  dead: ['messages_dead_total', 'Messages that became dead letters.'],
  attempts: ['attempts_total', 'Attempts of calls.'],
  retries: ['retries_total', 'Attempts after the first.'],
  timeouts: ['timeouts_total', 'Attempts that took longer than their timeout.'],
  breakerOpened: ['breaker_opened_total', 'How often the circuit breaker opened.'],
  rateLimited: ['rate_limited_total', 'Calls that the rate limit delayed or refused.'],
  bulkheadRejected: ['bulkhead_rejected_total', 'Calls refused because too many were waiting.'],
  pauses: ['pauses_total', 'How often the peer asked to wait.'],
  cacheHits: ['cache_hits_total', 'Calls answered from the cache.'],
  cacheMisses: ['cache_misses_total', 'Calls that the cache could not answer.'],
};
const BREAKER_VALUE = { closed: 0, 'half-open': 1, open: 2 } as const;

const FAMILIES: readonly Family[] = [
  ...Object.entries(COUNTER_HELP).map(([counter, [name, help]]): Family => ({
    name: `holdfast_${name}`,
    help,
    type: 'counter',
    samples: ({ counters }) => [{ labels: {}, value: counters[counter as PlainCounter] }],
  })),
  {
    name: 'holdfast_messages_dropped_total',
    help: 'Messages that a declared limit or a person removed.',
    type: 'counter',
    samples: ({ counters }) => [
      { labels: { reason: 'full' }, value: counters.droppedFull },
      { labels: { reason: 'old' }, value: counters.droppedOld },
      { labels: { reason: 'purged' }, value: counters.droppedPurged },
    ],
  },
  {
    name: 'holdfast_failures_total',
    help: 'Failed attempts by kind of failure.',
    type: 'counter',
    samples: ({ failures }) => Object.entries(failures).map(([kind, value]) => ({ labels: { kind }, value })),
  },
  {
    name: 'holdfast_messages_queued',
    help: 'Messages accepted and not finished.',
    type: 'gauge',
    samples: ({ queued }) => [{ labels: {}, value: queued }],
  },
  {
    name: 'holdfast_breaker_state',
    help: 'State of the circuit breaker: 0 closed, 1 half-open, 2 open.',
    type: 'gauge',
    samples: ({ breaker }) => [{ labels: {}, value: BREAKER_VALUE[breaker] }],
  },
  {
    name: 'holdfast_call_duration_seconds',
    help: 'Duration of successful attempts.',
    type: 'histogram',
    samples: latencySamples,
  },
];

function latencySamples({ latency }: SeriesSnapshot): readonly Sample[] {
  const name = 'holdfast_call_duration_seconds';
  let cumulated = 0;
  const buckets = latency.buckets.map((count, i): Sample => {
    cumulated += count;
    const bound = LATENCY_BOUNDS_MS[i];
    return {
      metricName: `${name}_bucket`,
      labels: { le: bound === undefined ? '+Inf' : bound / 1000 },
      value: cumulated,
    };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: {}, value: latency.sum / 1000 },
    { metricName: `${name}_count`, labels: {}, value: latency.count },
  ];
}

/** All series in the Prometheus text format 0.0.4. prom-client is loaded on first use. */
export async function exposition(metrics: Metrics): Promise<string> {
  const prometheus = await import('prom-client');
  const registry = new prometheus.Registry();
  const snapshot = metrics.snapshot();
  for (const family of FAMILIES) register(registry, family, snapshot);
  return registry.metrics();
}

/** The registry asks a metric only for its name and for `get`; our counters need none of its own classes. */
function register(registry: Registry, family: Family, snapshot: readonly SeriesSnapshot[]): void {
  const { name, help, type } = family;
  const values = snapshot.flatMap((series) =>
    family.samples(series).map((sample) => ({ ...sample, labels: { ...series.labels, ...sample.labels } })),
  );
  const metric = {
    name,
    help,
    type,
    get: () => Promise.resolve({ name, help, type, aggregator: 'sum', values }),
  };
  registry.registerMetric(metric as unknown as Metric);
}
