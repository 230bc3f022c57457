export * from './declare';
export { allFields } from './framework-fields';
export { parseRetryAfter } from '../policy/retry-after';
