/**
 * AMQP does not confirm acknowledgements. A request that follows on the same channel and is answered proves that the
 * broker has taken them; one answer serves all that went before it.
 */
import type { Channel } from 'amqplib';
import type { Session } from './session';

export class Proof {
  #running: Promise<unknown> | undefined;
  #next: Promise<void> | undefined;

  constructor(
    private readonly session: Session,
    private readonly channel: Channel,
  ) {}

  /** Resolves once the broker has taken everything that was sent on the channel before. */
  taken(): Promise<void> {
    this.#next ??= this.#round();
    return this.#next;
  }

  async #round(): Promise<void> {
    await this.#running?.catch(() => {});
    const ask = this.session.run(() => this.channel.prefetch(0));
    this.#running = ask;
    this.#next = undefined;
    await ask;
  }
}
