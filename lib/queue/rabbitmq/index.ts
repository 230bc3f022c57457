export { classifyRabbit } from './errors';
export type { RabbitOptions } from './options';
export { openRabbitStore, pingRabbit, type RabbitStore } from './store';
