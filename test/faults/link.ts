/** One client's connection through the fault proxy. */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../lib/core';
import { randomBytes, type Address, type Fault } from './fault';

/** Enough to cut every header; a large answer in single bytes would only take long. */
const SLICED = 200;

/** What the proxy decides for all its links. */
export interface Weather {
  readonly clock: Clock;
  /** Undefined: fair. */
  fault(): Fault | undefined;
  random(): number;
  /** Resolves when the fault changes. */
  changed(): Promise<void>;
}
type Direction = 'request' | 'answer';

export class Link {
  readonly #client: Socket;
  readonly #peer: Socket;
  readonly #weather: Weather;
  /** The peer forgot this connection. */
  #forgotten = false;
  /** Bytes of answer that passed since the present `cut` began. */
  #passed = 0;

  constructor(client: Socket, target: Address, weather: Weather, onClose: () => void) {
    this.#client = client;
    this.#weather = weather;
    this.#peer = connect({ host: target.host, port: target.port, allowHalfOpen: true });
    for (const socket of [client, this.#peer]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
    }
    this.#pump(client, this.#peer, 'request');
    this.#pump(this.#peer, client, 'answer');
    client.once('close', () => {
      this.#peer.destroy();
      onClose();
    });
    this.#peer.once('close', () => void this.#whenHeard(() => this.#client.destroy()));
  }

  /** A new fault began; what was counted for the last one is void. */
  onFault(fault: Fault): void {
    this.#passed = 0;
    if (fault.kind === 'halfOpen') this.#forgotten = true;
    if (fault.kind === 'refused' || fault.kind === 'reset' || fault.kind === 'peerRestarted') this.reset();
  }

  reset(): void {
    const client = this.#client;
    // Node cannot reset a socket that is already shutting down: its handle would stay open for ever.
    if (client.writableEnded) client.destroy();
    else if (!client.destroyed) client.resetAndDestroy();
    this.#peer.destroy();
  }

  /** Reading stops while a piece is under way: order is kept, and a held link presses back on its sender. */
  #pump(from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (chunk: Buffer) => {
      from.pause();
      void this.#pass(chunk, to, direction).then(() => from.resume());
    });
    from.once('end', () => void this.#whenHeard(() => to.end()));
  }

  /** Nobody hears a FIN over a dead line. */
  async #whenHeard(act: () => void): Promise<void> {
    while (this.#weather.fault()?.kind === 'blackHole') await this.#weather.changed();
    if (!this.#forgotten) act();
  }

  async #pass(chunk: Buffer, to: Socket, direction: Direction): Promise<void> {
    while (this.#weather.fault()?.kind === 'blackHole') await this.#weather.changed();
    if (this.#forgotten) return;
    const fault = this.#weather.fault();
    if (fault?.kind === 'reset') return this.reset();
    if (fault?.kind === 'halfOpen') return void (this.#forgotten = true);
    if (fault?.kind === 'slow') return this.#slowly(chunk, to, fault);
    if (direction === 'request') return write(to, chunk);
    if (fault?.kind === 'cut') return this.#cut(chunk, to, fault);
    if (fault?.kind === 'sliced') return sliced(chunk, to);
    if (fault?.kind === 'garbage') {
      return write(
        to,
        randomBytes(() => this.#weather.random(), fault.bytes ?? chunk.length),
      );
    }
    return write(to, chunk);
  }

  async #slowly(chunk: Buffer, to: Socket, fault: Fault & { kind: 'slow' }): Promise<void> {
    const size = fault.bytesPerSecond === undefined ? chunk.length : Math.ceil(fault.bytesPerSecond / 20);
    await this.#wait(fault.delayMs ?? 50);
    for (let at = 0; at < chunk.length; at += size) {
      if (at > 0) await this.#wait(50);
      await write(to, chunk.subarray(at, at + size));
    }
  }

  async #cut(chunk: Buffer, to: Socket, fault: Fault & { kind: 'cut' }): Promise<void> {
    const left = Math.max(0, (fault.afterBytes ?? 5) - this.#passed);
    this.#passed += chunk.length;
    if (left > 0) await write(to, chunk.subarray(0, left));
    if (chunk.length < left) return;
    if (fault.how === 'reset') return this.reset();
    to.end();
    this.#peer.destroy();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#weather.clock.timer(ms, resolve));
  }
}

/** Resolves when the socket takes more, or is gone. */
function write(to: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (to.destroyed || to.writableEnded) return resolve();
    to.once('close', resolve);
    to.write(bytes, () => {
      to.off('close', resolve);
      resolve();
    });
  });
}

async function sliced(chunk: Buffer, to: Socket): Promise<void> {
  for (const byte of chunk.subarray(0, SLICED)) {
    await write(to, Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await write(to, chunk.subarray(SLICED));
}
