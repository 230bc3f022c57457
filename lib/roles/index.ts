export * from './declare';
