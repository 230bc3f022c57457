/** What the simulated broker holds: a plant that sends readings, a queue for commands and one for dead letters. */
import type { Clock, Timer } from '../../lib/core';
import type { Broker } from './simulator-broker';
import type { Content } from './simulator-content';
import type { QueueSettings } from './simulator-queue';
import { shortString } from './simulator-wire';

const TICK_MS = 500;
const LENGTH = 1000;
const PLAIN: QueueSettings = {
  kind: 'classic',
  durable: true,
  exclusive: false,
  autoDelete: false,
  maxLength: LENGTH,
  rejectWhenFull: false,
  deliveryLimit: undefined,
  deadExchange: undefined,
  deadKey: undefined,
  single: false,
  ttl: undefined,
};
const SIGNALS = [
  { key: 'plant.boiler.temperature', base: 80, swing: 4, unit: '°C' },
  { key: 'plant.boiler.pressure', base: 2, swing: 0.2, unit: 'bar' },
  { key: 'plant.press.force', base: 320, swing: 25, unit: 'kN' },
] as const;

/** Makes exchange "plant" and its queues, and publishes a reading of one signal after the other. Returns the end. */
export function runPlant(broker: Broker, seed: number, clock: Clock, ticking: boolean): () => void {
  const owner = {};
  broker.declareExchange({ name: 'plant', kind: 'topic', durable: true, autoDelete: false, internal: false });
  broker.declareExchange({
    name: 'plant.dead',
    kind: 'fanout',
    durable: true,
    autoDelete: false,
    internal: false,
  });
  broker.declareQueue('plant.readings', { ...PLAIN, deadExchange: 'plant.dead' }, owner);
  broker.declareQueue('plant.commands', { ...PLAIN, deadExchange: 'plant.dead' }, owner);
  broker.declareQueue('plant.dead', PLAIN, owner);
  const bind = (source: string, destination: string, key: string): void =>
    broker.bind({ source, kind: 'queue', destination, key, args: [] });
  bind('plant', 'plant.readings', 'plant.#');
  bind('plant', 'plant.commands', 'command.#');
  bind('plant.dead', 'plant.dead', '');
  let timer: Timer | undefined;
  let step = 0;
  const tick = (): void => {
    publishReading(broker, seed, step, clock.now());
    step += 1;
    timer = clock.timer(TICK_MS, tick);
  };
  if (ticking) tick();
  return () => timer?.cancel();
}

function publishReading(broker: Broker, seed: number, step: number, now: number): void {
  const signal = SIGNALS[step % SIGNALS.length];
  if (!signal) return;
  const { key, base, swing, unit } = signal;
  const time = new Date(now).toISOString();
  const value = Math.round((base + swing * Math.sin((step + seed) / 7)) * 100) / 100;
  const reading = {
    tag: key,
    value,
    quality: 'good',
    status: '',
    sourceTime: time,
    receivedTime: time,
    unit,
  };
  broker.publish('plant', key, json(reading));
}

function json(value: unknown): Content {
  return {
    // Only the content type.
    flags: 1 << 15,
    before: shortString('application/json'),
    headers: [],
    after: Buffer.alloc(0),
    body: Buffer.from(JSON.stringify(value)),
  };
}
