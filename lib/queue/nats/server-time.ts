/**
 * The server's clock, as far as a gateway needs it: how long ago a message was stored. Asked once and then carried on
 * by our monotonic clock, so that a jump of this machine's wall clock changes no age.
 */
import type { Session } from './session';

const SECOND = 1e9;

export class ServerTime {
  #offset: Promise<number> | undefined;

  constructor(
    readonly session: Session,
    readonly stream: string,
  ) {}

  /** Milliseconds since 1970 by the server's clock. */
  async now(): Promise<number> {
    this.#offset ??= this.#ask().catch((error: unknown) => {
      this.#offset = undefined;
      throw error;
    });
    return (await this.#offset) + this.session.clock.mono();
  }

  /** The server tells its time with a new consumer; this one ends itself. */
  async #ask(): Promise<number> {
    const { AckPolicy, DeliverPolicy } = this.session.lib.jetstream;
    const info = await this.session.run(() =>
      this.session.jsm.consumers.add(this.stream, {
        ack_policy: AckPolicy.None,
        deliver_policy: DeliverPolicy.New,
        mem_storage: true,
        inactive_threshold: SECOND,
      }),
    );
    const offset = Date.parse(info.created) - this.session.clock.mono();
    await this.session.run(() => this.session.jsm.consumers.delete(this.stream, info.name)).catch(() => {});
    return offset;
  }
}
