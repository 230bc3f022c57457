/** Fetches what a pull consumer has now; it waits for more only when told to. */
import type { Msg } from '@nats-io/transport-node';
import { Failure } from '../../core';
import { readDelivery, type Delivered } from './delivered';
import type { QueueNames } from './names';
import type { Session } from './session';

/** Most bytes of one fetch: what a gateway must be able to hold. */
const MOST_BYTES = 64 * 1024 * 1024;
/**
 * The server answers at once, except where its own count is not exact: when as many records are out as may be. It
 * drops a request whose inbox nobody reads any more.
 */
const PATIENCE_MS = 2_000;

export function pull(
  session: Session,
  names: Pick<QueueNames, 'stream' | 'consumer'>,
  batch: number,
  waitMs = 0,
): Promise<Delivered[]> {
  return session.run(
    () =>
      new Promise<Delivered[]>(
        (resolve, reject) => new Fetch(session, names, batch, waitMs, resolve, reject),
      ),
  );
}

class Fetch {
  readonly #got: Delivered[] = [];
  readonly #end: (error?: Failure) => void;

  constructor(
    readonly session: Session,
    names: Pick<QueueNames, 'stream' | 'consumer'>,
    readonly batch: number,
    waitMs: number,
    resolve: (messages: Delivered[]) => void,
    reject: (error: Failure) => void,
  ) {
    const { nc, clock, lib } = session;
    const inbox = lib.transport.createInbox();
    const sub = nc.subscribe(inbox, { callback: (error, msg) => (error ? this.#end() : this.#hear(msg)) });
    const timer = clock.timer(PATIENCE_MS, () => this.#end());
    this.#end = (error) => {
      timer.cancel();
      if (!sub.isClosed()) sub.unsubscribe();
      if (error && this.#got.length === 0) reject(error);
      else resolve(this.#got);
    };
    const patience = waitMs > 0 ? { expires: waitMs * 1e6 } : {};
    const request = { batch, no_wait: true, max_bytes: MOST_BYTES, ...patience };
    const subject = `${session.js.apiPrefix}.CONSUMER.MSG.NEXT.${names.stream}.${names.consumer}`;
    nc.publish(subject, JSON.stringify(request), { reply: inbox });
  }

  #hear(msg: Msg): void {
    const code = msg.headers?.code ?? 0;
    if (code === 0) {
      const delivered = readDelivery(msg);
      if (delivered) this.#got.push(delivered);
      if (this.#got.length >= this.batch) this.#end();
    } else if (code >= 200) {
      this.#end(refusal(code, msg.headers?.description ?? ''));
    }
  }
}

/** 404 and 408: there is nothing (more). 409: a bound was reached, or the consumer went away. */
function refusal(code: number, description: string): Failure | undefined {
  if (code === 404 || code === 408) return undefined;
  if (code === 409 && /max|exceed/i.test(description)) return undefined;
  return new Failure(
    'transient',
    'QUEUE_UNAVAILABLE',
    `The NATS server hands out no records: ${code} ${description.slice(0, 100)}. Check that the stream and its consumer exist.`,
    { reached: false },
  );
}
