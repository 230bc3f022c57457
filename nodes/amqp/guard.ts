/**
 * Stands before the library's frame handler and bounds what it would collect in memory: bodies beyond the limit, and
 * bodies cut into so many frames that their bookkeeping outgrows them.
 */
import { BASIC_HEADER, type Frame, type RawConnection } from './library';

interface Body {
  left: number;
  frames: number;
  readonly skip: boolean;
}
const FREE_FRAMES = 64;
/** Brokers fill their frames; one that sends less than this in each is not one. */
const LEAST_BYTES = 256;

/** Bytes of the body that was left out, in the properties of a message that was too large. */
export const OVERSIZE = Symbol('oversize');

export function guardBodies(connection: RawConnection, limit: number): void {
  const bodies = new Map<number, Body>();
  const pass = (frame: Frame): Frame | undefined => {
    if (frame.id === BASIC_HEADER) return header(frame);
    return frame.content ? content(frame, frame.content.length) : frame;
  };
  const header = (frame: Frame): Frame => {
    const { channel, size = 0, fields } = frame;
    if (!(size >= 0)) throw new Error(`Invalid frame: a body of ${size} bytes`);
    const skip = size > limit;
    if (size > 0) bodies.set(channel, { left: size, frames: FREE_FRAMES + size / LEAST_BYTES, skip });
    else bodies.delete(channel);
    // The library sees an empty message, so that the channel goes on.
    return skip ? { ...frame, size: 0, fields: { ...fields, [OVERSIZE]: size } } : frame;
  };
  const content = (frame: Frame, bytes: number): Frame | undefined => {
    const body = bodies.get(frame.channel);
    if (!body) return frame;
    body.left -= bytes;
    body.frames -= 1;
    if (body.frames < 0 || body.left < 0)
      throw new Error('Invalid frame: a body in a form that no broker sends');
    if (body.left === 0) bodies.delete(frame.channel);
    return body.skip ? undefined : frame;
  };
  const accept = connection.accept;
  connection.accept = function (this: RawConnection, frame) {
    const passed = pass(frame);
    if (passed) accept.call(this, passed);
  };
}
