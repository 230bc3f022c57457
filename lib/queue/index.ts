export type * from './types';
export * from './codec';
export * from './local';
