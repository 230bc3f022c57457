export * from './duration';
export * from './fields';
