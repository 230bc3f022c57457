export * from './facts';
export * from './filter';
export * from './request';
export * from './run';
