export * from './check';
export * from './duration';
export * from './fields';
export * from './migrate';
export * from './parse';
export * from './problem';
