export * from './boot';
export { FlowRecord } from './record';
export * from './types';
