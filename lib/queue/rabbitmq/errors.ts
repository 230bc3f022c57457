/** Names what amqplib, the socket and the broker's replies mean. */
import { Failure, isFailure, toFailure, type FailureKind } from '../../core';

type Meaning = readonly [kind: FailureKind, code: string, sentence: string, reached: boolean];

const SOCKET: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: [
    'disconnected',
    'CONNECTION_REFUSED',
    'No RabbitMQ listens at the address. Check host, port and firewall.',
    false,
  ],
  ENOTFOUND: ['disconnected', 'HOST_NOT_FOUND', 'The host name of RabbitMQ cannot be resolved.', false],
  EAI_AGAIN: [
    'disconnected',
    'HOST_NOT_FOUND',
    'The host name of RabbitMQ cannot be resolved just now.',
    false,
  ],
  ETIMEDOUT: ['disconnected', 'CONNECTION_TIMEOUT', 'RabbitMQ does not answer. Check the network.', true],
  EHOSTUNREACH: ['disconnected', 'CONNECTION_REFUSED', 'There is no route to the host of RabbitMQ.', false],
  ENETUNREACH: ['disconnected', 'CONNECTION_REFUSED', 'There is no route to the host of RabbitMQ.', false],
  ABORT_ERR: ['disconnected', 'CONNECTION_LOST', 'The connection to RabbitMQ was ended.', true],
};
const LOST: Meaning = ['disconnected', 'CONNECTION_LOST', 'The connection to RabbitMQ ended.', true];
const FULL: Meaning = [
  'throttled',
  'QUEUE_FULL',
  'RabbitMQ did not take the message: the queue is full, or has no majority of its members.',
  false,
];

const REPLIES: Readonly<Record<number, Meaning>> = {
  311: [
    'rejected',
    'PEER_REJECTED',
    'The message is larger than RabbitMQ allows. Check its setting max_message_size',
    false,
  ],
  320: ['disconnected', 'CONNECTION_LOST', 'RabbitMQ closed the connection, as on a shutdown', true],
  403: [
    'auth',
    'AUTH_FAILED',
    'RabbitMQ refuses the user. Check user, password, virtual host and permissions',
    false,
  ],
  404: ['disconnected', 'CONNECTION_LOST', 'A queue is not there any more, or its node is down', false],
  405: ['rejected', 'PEER_REJECTED', 'Another connection uses the queue exclusively', false],
  406: ['disconnected', 'CONNECTION_LOST', 'RabbitMQ closed the channel of the queue', true],
  530: ['config', 'BAD_CONFIG', 'RabbitMQ does not open the virtual host. Check its name and limits', false],
  541: ['disconnected', 'PEER_ERROR', 'RabbitMQ met an error of its own', true],
};

/** The Failure of an error that amqplib threw or emitted. */
export function classifyRabbit(error: unknown): Failure {
  if (isFailure(error)) return error;
  const { code, message } = facts(error);
  if (typeof code === 'number') return refused(code, message);
  const reply = /^Handshake terminated by server: (\d{3})/.exec(message)?.[1];
  if (reply !== undefined) return refused(Number(reply), message);
  const known = Object.hasOwn(SOCKET, code) ? SOCKET[code] : undefined;
  const meaning = known ?? byText(code, message);
  if (!meaning) return toFailure(error);
  return make(meaning, meaning[2], { reason: code || excerpt(message) });
}

function byText(code: string, message: string): Meaning | undefined {
  if (/^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO)/.test(code)) {
    return [
      'config',
      'TLS_FAILED',
      'The TLS handshake with RabbitMQ failed. Check certificates and port.',
      false,
    ];
  }
  if (/^(?:ECONNRESET|EPIPE|ECONNABORTED|ERR_STREAM)/.test(code)) return LOST;
  if (/^message nacked/.test(message)) return FULL;
  if (/^Heartbeat timeout/.test(message))
    return ['disconnected', 'CONNECTION_LOST', 'RabbitMQ sends no sign of life any more.', true];
  if (/^SASL mechanism/.test(message))
    return ['auth', 'AUTH_FAILED', 'RabbitMQ does not allow a login by user and password.', false];
  // The library does not pass on what the broker says about it.
  if (/^Expected ConnectionOpenOk; got <ConnectionClose/.test(message))
    return [
      'config',
      'BAD_CONFIG',
      'RabbitMQ does not open the virtual host. Check its name, limits and permissions.',
      false,
    ];
  if (/^(?:Frame size|Invalid frame|Expected .* got|Server frameMax|Unknown|Frame on)/.test(message))
    return ['disconnected', 'BAD_RESPONSE', 'The peer does not speak AMQP 0-9-1. Check host and port.', true];
  if (
    /^(?:Unexpected close|Socket closed|channel closed|Channel (?:closed|closing|ended)|Connection clos)/.test(
      message,
    )
  )
    return LOST;
  return undefined;
}

function refused(reply: number, message: string): Failure {
  const reason = replyText(message);
  const meaning: Meaning = (Object.hasOwn(REPLIES, reply) ? REPLIES[reply] : undefined) ?? [
    'disconnected',
    'BAD_RESPONSE',
    `RabbitMQ ended the channel or connection with code ${reply}`,
    true,
  ];
  return make(meaning, `${meaning[2]}: ${reason}.`, { reply, reason });
}

/** The broker's own words, which the library puts between quotation marks; one bounded line. */
export function replyText(message: string): string {
  const quoted = /with message "(.*)"/s.exec(message.slice(0, 2000))?.[1] ?? message;
  return excerpt(quoted.replace(/^[A-Z_]+ - /, ''));
}

function make([kind, code, , reached]: Meaning, sentence: string, details: Record<string, unknown>): Failure {
  return new Failure(kind, code, sentence, { reached, details });
}

function facts(error: unknown): { code: string | number; message: string } {
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  const known = typeof code === 'number' || typeof code === 'string' ? code : '';
  return { code: known, message: typeof message === 'string' ? message : '' };
}

const excerpt = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 300) || 'no reason given';
