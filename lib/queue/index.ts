export type * from './types';
export * from './local';
