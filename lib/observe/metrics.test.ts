import assert from 'node:assert/strict';
import { Failure } from '../core';
import { exposition } from './exposition';
import { Histogram, LATENCY_BOUNDS_MS, quantile } from './histogram';
import { Metrics } from './metrics';

describe('observe: histogram', () => {
  it('puts a latency into the first bucket that holds it', () => {
    const histogram = new Histogram();
    for (const ms of [0, -1, NaN, 0.1, 0.11, 30_000, 30_001, Infinity]) histogram.record(ms);
    const { buckets, count, sum } = histogram.snapshot();
    assert.equal(buckets.length, LATENCY_BOUNDS_MS.length + 1);
    assert.deepEqual([buckets[0], buckets[1], buckets.at(-2), buckets.at(-1)], [5, 1, 1, 1]);
    assert.equal(count, 8);
    assert.equal(sum, 0.1 + 0.11 + 30_000 + 30_001);
  });

  it('estimates quantiles', () => {
    const histogram = new Histogram();
    assert.equal(quantile(histogram.snapshot(), 0.5), null);
    for (let i = 0; i < 90; i += 1) histogram.record(8);
    for (let i = 0; i < 10; i += 1) histogram.record(80);
    const snapshot = histogram.snapshot();
    assert.equal(quantile(snapshot, 0.9), 10);
    assert.equal(quantile(snapshot, 0.95), 75);
    assert.equal(quantile(snapshot, 1), 100);
  });
});

describe('observe: metrics', () => {
  it('counts what a pipeline reports', () => {
    const metrics = new Metrics();
    const meter = metrics.node('n1', 'Read', 'holdfast-modbus');
    meter.in(3);
    meter.queued(3);
    meter.attempt(1);
    meter.success(4);
    meter.out();
    meter.queued(-1);
    meter.failure(new Failure('transient', 'PEER_ERROR', 'x'), true);
    meter.retry(100, 2);
    meter.timeout();
    meter.breaker('open');
    meter.breaker('open');
    meter.breaker('half-open');
    meter.rateLimited(5);
    meter.bulkheadFull();
    meter.paused(1);
    meter.cache(true);
    meter.cache(false);
    meter.failed();
    meter.cancelled();
    meter.queued(-2);
    const [series] = metrics.snapshot();
    assert.ok(series);
    assert.deepEqual(series.labels, { role: 'node', id: 'n1', name: 'Read', type: 'holdfast-modbus' });
    assert.deepEqual(series.counters, {
      in: 3,
      out: 1,
      failed: 1,
      cancelled: 1,
      dead: 0,
      droppedFull: 0,
      droppedOld: 0,
      droppedPurged: 0,
      attempts: 1,
      retries: 1,
      timeouts: 1,
      breakerOpened: 1,
      rateLimited: 1,
      bulkheadRejected: 1,
      pauses: 1,
      cacheHits: 1,
      cacheMisses: 1,
    });
    const { counters, queued } = series;
    assert.equal(counters.in, counters.out + counters.failed + counters.cancelled + queued);
    assert.equal(series.breaker, 'half-open');
    assert.equal(series.failures.transient, 1);
    assert.equal(series.latency.count, 1);
  });

  it('keeps one series for one id until it is removed', () => {
    const metrics = new Metrics();
    const meter = metrics.connection('c', 'old name', 't');
    meter.in();
    assert.equal(metrics.connection('c', 'new name', 't'), meter);
    assert.notEqual(metrics.node('c', 'a node', 't'), meter);
    assert.deepEqual(
      metrics.snapshot().map(({ labels }) => labels.name),
      ['new name', 'a node'],
    );
    metrics.remove('c');
    assert.deepEqual(metrics.snapshot(), []);
  });

  it('is bounded in series and labels', () => {
    const metrics = new Metrics();
    for (let i = 0; i < 2_100; i += 1) metrics.node(`n${i}`, 'x', 't').in();
    const all = metrics.snapshot();
    assert.equal(all.length, 2_001);
    assert.equal(all.at(-1)?.labels.name, 'other');
    assert.equal(all.at(-1)?.counters.in, 100);
    const long = new Metrics();
    long.node('i'.repeat(500), `a\nb\u0000${'x'.repeat(500)}`, 't');
    const [series] = long.snapshot();
    assert.equal(series?.labels.id.length, 100);
    assert.match(series?.labels.name ?? '', /^a b x{96}$/);
  });
});

describe('observe: exposition', () => {
  const hostile = 'a"b\\c\nd{}=,';

  it('writes every series once, in a shape that a strict reader accepts', async () => {
    const metrics = new Metrics();
    const meters = [
      metrics.node('n', hostile, 't'),
      metrics.node('m', hostile, 't'),
      metrics.connection('n', 'c', 't'),
    ];
    for (const meter of meters) meter.success(3);
    const text = await exposition(metrics);
    const seen = new Set<string>();
    const helps = new Set<string>();
    for (const line of text.split('\n').filter((one) => one !== '')) {
      if (line.startsWith('# HELP ')) {
        assert.ok(!helps.has(line), line);
        helps.add(line);
      } else if (!line.startsWith('# TYPE ')) {
        const match = /^([a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+\}) (-?[\d.e+]+)$/.exec(line);
        assert.ok(match?.[1], line);
        assert.ok(!seen.has(match[1]), `twice: ${line}`);
        seen.add(match[1]);
      }
    }
    assert.ok(text.includes('name="a\\"b\\\\c d{}=,"'), 'line breaks are gone, quotes escaped');
    const bucket = 'holdfast_call_duration_seconds_bucket{role="connection",id="n",name="c",type="t",le=';
    assert.ok(text.includes(`${bucket}"0.0025"} 0\n`));
    assert.ok(text.includes(`${bucket}"0.005"} 1\n`));
    assert.ok(text.includes(`${bucket}"+Inf"} 1\n`));
    assert.ok(
      text.includes('holdfast_call_duration_seconds_sum{role="connection",id="n",name="c",type="t"} 0.003\n'),
    );
  });

  it('has families but no samples for an empty runtime', async () => {
    const lines = (await exposition(new Metrics())).split('\n').filter((line) => line !== '');
    assert.ok(lines.length > 0 && lines.every((line) => line.startsWith('# ')));
  });
});
