/**
 * The client prints what it cannot parse to the console, reads no more and keeps the connection open until a ping goes
 * unanswered. Here such a peer ends the connection at once, by a failure that everyone who waits gets.
 */
import type { NatsConnection } from '@nats-io/transport-node';
import { Failure } from '../../core';
import { classifyNats } from './classify';

export interface Reader {
  /** What ended the reading; undefined while all is well. */
  readonly failure: Failure | undefined;
  /** Called at most once. */
  onFailure(fn: (failure: Failure) => void): void;
}

/** The part of the client that is no public interface of it. */
interface Internals {
  readonly protocol?: { readonly parser?: { parse(bytes: Uint8Array): void } };
}

/** To be called as soon as there is a connection, which must not reconnect: that would bring a new parser. */
export function guardReader(nc: NatsConnection): Reader {
  let failure: Failure | undefined;
  let tell: (failure: Failure) => void = () => {};
  const parser = (nc as NatsConnection & Internals).protocol?.parser;
  if (parser) {
    const parse = parser.parse.bind(parser);
    parser.parse = (bytes) => {
      if (failure) return;
      try {
        parse(bytes);
      } catch (error) {
        failure = unreadable(error);
        tell(failure);
        void nc.close().catch(() => {});
      }
    };
  }
  return {
    get failure() {
      return failure;
    },
    onFailure: (fn) => {
      tell = fn;
      if (failure) fn(failure);
    },
  };
}

/** The words of the client's parser, before the bytes that it did not understand. */
const NOT_NATS = /^(.{0,60}\[\d+\]): /;

/** Without the peer's bytes, which could be anything; an error of ours stays what it is. */
function unreadable(error: unknown): Failure {
  const [, where] = (error instanceof Error && NOT_NATS.exec(error.message)) || [];
  if (where === undefined) return classifyNats(error);
  return new Failure(
    'disconnected',
    'BAD_RESPONSE',
    'The NATS server sent something that is not the NATS protocol; the connection was closed. Check what stands between (a proxy, another service on the port).',
    { details: { where } },
  );
}
