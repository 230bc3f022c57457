/** A broker of the proof's own, with a proxy before it that can lose every connection. */
import type { Queue, QueueOptions, QueueStore } from '../../../lib/queue';
import { startFaultProxy, type FaultProxy } from '../../faults';
import { between, randomOf } from '../random';
import type { Abilities } from './generate';
import type { Manners } from './shared';
import { SkipClock } from './skip-clock';

export interface Server {
  readonly port: number;
  /** SIGKILL, and the same server again on what it left. */
  killed(): Promise<void>;
  dispose(): Promise<void>;
}
export interface Broker {
  readonly able: Abilities;
  readonly manners: Manners;
  /** Groups that one server serves. */
  readonly renewAfter: number;
  /** Options that the broker cannot take are replaced. */
  fit(options: QueueOptions): QueueOptions;
  start(): Promise<Server>;
  open(port: number, clock: SkipClock): Promise<QueueStore>;
}

const OPEN_LIMIT_MS = 60_000;

export class SharedBed {
  readonly clock = new SkipClock();
  crashes = 0;
  #store!: QueueStore;
  readonly #random: () => number;

  private constructor(
    readonly broker: Broker,
    readonly server: Server,
    readonly proxy: FaultProxy,
    seed: number,
  ) {
    this.#random = randomOf(seed);
  }

  static async start(broker: Broker, seed: number): Promise<SharedBed> {
    const server = await broker.start();
    const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: server.port } });
    const bed = new SharedBed(broker, server, proxy, seed);
    bed.#store = await broker.open(proxy.port, bed.clock);
    return bed;
  }

  get store(): QueueStore {
    return this.#store;
  }

  open(name: string, options: QueueOptions): Promise<Queue> {
    return this.#store.open(name, options);
  }

  /** The clock on which the broker counts delays. */
  delayTime(): number {
    return this.broker.manners.serverDelays ? performance.now() : this.clock.mono();
  }

  /** Loses the connection, or the server, while what `begin` begins is under way. */
  async crash(how: 'connection' | 'kill', begin: () => Promise<unknown>): Promise<void> {
    this.crashes += 1;
    const under = begin();
    for (let turns = between(this.#random, 0, 8); turns > 0; turns -= 1)
      await new Promise((resolve) => setImmediate(resolve));
    if (how === 'kill') await this.server.killed();
    else await this.proxy.set({ kind: 'peerRestarted' });
    await under;
    await this.#store.close();
    this.#store = await this.#again();
  }

  async close(): Promise<void> {
    await this.#store.close();
    await this.proxy.close();
    await this.server.dispose();
  }

  async #again(): Promise<QueueStore> {
    for (const end = performance.now() + OPEN_LIMIT_MS; ;) {
      try {
        return await this.broker.open(this.proxy.port, this.clock);
      } catch (error) {
        if (performance.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}
