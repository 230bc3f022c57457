/** The two queues on the broker: made when missing, compared when they exist, never changed. */
import type { QueueOptions } from '../types';
import { classifyRabbit, replyText } from './errors';
import { bad, type Places } from './names';
import type { Session } from './session';

/** RabbitMQ 4 dead-letters after twenty deliveries unless a limit is set; 3.x takes no "unlimited". */
const UNLIMITED = 2_147_483_647;
const LONGEST_TTL_MS = 4_294_967_295;

type Arguments = Readonly<Record<string, string | number>>;

/**
 * Limits that RabbitMQ keeps itself. What it throws out for age, deliveries or length becomes a dead letter: it cannot
 * drop without losing count, so `dropOldest` moves the oldest to the dead letters.
 */
export function argumentsOf(options: QueueOptions, places: Places): Arguments {
  check(options);
  const dropOldest = options.whenFull === 'dropOldest';
  return {
    'x-queue-type': 'quorum',
    'x-overflow': dropOldest ? 'drop-head' : 'reject-publish',
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': places.dead,
    // RabbitMQ offers the safe kind only to queues that do not drop.
    'x-dead-letter-strategy': dropOldest ? 'at-most-once' : 'at-least-once',
    // The broker counts how often a record came back, we count how often it went out.
    'x-delivery-limit': options.maxDeliveries > 0 ? options.maxDeliveries - 1 : UNLIMITED,
    // With reject-publish the broker takes the record that reaches the limit and refuses from then on.
    ...(options.maxRecords > 0 && { 'x-max-length': options.maxRecords - (dropOldest ? 0 : 1) }),
    ...(options.maxBytes > 0 && { 'x-max-length-bytes': options.maxBytes }),
    ...(options.maxAgeMs > 0 && { 'x-message-ttl': Math.ceil(options.maxAgeMs) }),
  };
}

function check(options: QueueOptions): void {
  if (options.maxAgeMs > LONGEST_TTL_MS) throw bad('RabbitMQ keeps an age of at most 49 days.');
  if (options.maxAgeMs > 0 && options.whenOld === 'drop') {
    throw bad(
      'RabbitMQ makes old records dead letters and cannot drop them. Choose "dead letter" for old records.',
    );
  }
  if (options.duplicateWindowMs > 0) {
    throw bad('RabbitMQ does not recognise duplicates. Set the duplicate window to 0, or use "once".');
  }
}

/** @throws Failure `config` that names the difference when a queue exists with other settings. */
export async function declare(session: Session, places: Places, options: QueueOptions): Promise<void> {
  const own = argumentsOf(options, places);
  await declareOne(session, places.dead, { 'x-queue-type': 'quorum', 'x-delivery-limit': UNLIMITED });
  await declareOne(session, places.queue, own);
}

async function declareOne(session: Session, queue: string, args: Arguments): Promise<void> {
  try {
    await session.aside((channel) =>
      session.run(() => channel.assertQueue(queue, { durable: true, arguments: args })),
    );
  } catch (error) {
    throw different(queue, error) ?? classifyRabbit(error);
  }
}

const ARGUMENT =
  /inequivalent arg '([\w-]{1,60})' .*received (?:the value )?'?(.{0,80}?)'?(?: of type '\w+')? but current is (?:the value )?'?(.{0,80}?)'?(?: of type '\w+')?$/;

function different(queue: string, error: unknown): Error | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 406) return undefined;
  const reason = replyText(error.message);
  const [, argument, wanted, present] = ARGUMENT.exec(reason) ?? [];
  const difference =
    argument === undefined ? reason : `"${argument}" is ${present ?? ''} there and ${wanted ?? ''} here`;
  return bad(
    `The queue "${queue}" exists on RabbitMQ with other settings: ${difference}. It is left as it is: adapt the settings, or empty and delete it there.`,
    { queue, ...(argument !== undefined && { argument, wanted, present }) },
  );
}
