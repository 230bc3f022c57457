export { classifyNats } from './classify';
export type { NatsAuth, NatsOptions } from './options';
export { openNatsStore, pingNats, type NatsStore } from './store';
