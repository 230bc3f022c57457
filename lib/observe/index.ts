export * from './canonical';
export * from './exposition';
export * from './hash';
export * from './health';
export { quantile, LATENCY_BOUNDS_MS, type HistogramSnapshot } from './histogram';
export * from './meter';
export * from './metrics';
export * from './provenance';
export * from './types';
