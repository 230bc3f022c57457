/** One delivery of one message, read from its reply subject, and the words that settle it. */
import type { Msg } from '@nats-io/transport-node';
import type { Session } from './session';

export interface Delivered {
  readonly msg: Msg;
  /** Subject that the acknowledgement goes to. */
  readonly reply: string;
  /** Position in the stream. */
  readonly seq: number;
  /** 1 for the first delivery, counted by the server. */
  readonly count: number;
  /** When the server stored it, milliseconds since 1970 by the server's clock. */
  readonly storedAt: number;
}

/** `$JS.ACK.[domain.account.]stream.consumer.delivered.seq.consumerSeq.nanos.pending[.random]` */
export function readDelivery(msg: Msg): Delivered | undefined {
  const reply = msg.reply ?? '';
  const parts = reply.split('.');
  const skip = parts.length >= 11 ? 2 : 0;
  const [count, seq, , nanos] = parts.slice(4 + skip, 8 + skip);
  const delivered = { msg, reply, seq: Number(seq), count: Number(count), storedAt: Number(nanos) / 1e6 };
  return delivered.seq > 0 && delivered.count > 0 ? delivered : undefined;
}

/** Resolves when the server confirmed that the record has ended. */
export async function confirmAck(session: Session, one: Delivered): Promise<void> {
  await session.run(() => session.nc.request(one.reply, '+ACK', { timeout: session.places.timeoutMs }));
}

/** Gives it back; it may be delivered again after the delay. Resolves when the server confirmed that. */
export async function giveBack(session: Session, one: Delivered, delayMs: number): Promise<void> {
  const delay = Math.round(delayMs) * 1e6;
  const word = delay > 0 ? `-NAK {"delay": ${delay}}` : '-NAK';
  await session.run(() => session.nc.request(one.reply, word, { timeout: session.places.timeoutMs }));
}

/** A sign of life: the server's patience begins anew. */
export function stillWorking(session: Session, one: Delivered): void {
  session.tell(one.reply, '+WPI');
}
