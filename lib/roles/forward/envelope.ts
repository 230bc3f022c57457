/** A message as it lies in the store, with the values that would be others by the time it is sent. */
import type { Message } from '../../core';
import { decodeMessage, encodeMessage } from '../../queue/codec';

/** Where values stand that came from context, JSONata or the environment when the message arrived. */
const GIVEN = '_holdfastGiven';

export type Given = Readonly<Record<string, unknown>>;

export function wrap(msg: Message, given: Given): Uint8Array {
  return encodeMessage(Object.keys(given).length === 0 ? msg : { ...msg, [GIVEN]: given });
}

export function unwrap(body: Uint8Array): { readonly msg: Message; readonly given: Given } {
  const msg = decodeMessage(body);
  const given = msg[GIVEN];
  if (typeof given !== 'object' || given === null) return { msg, given: {} };
  Reflect.deleteProperty(msg, GIVEN);
  return { msg, given: given as Given };
}
