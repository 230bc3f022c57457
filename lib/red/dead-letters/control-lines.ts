/** The language of the control channel: one JSON object a line, of bounded length, with the version in each. */
import type { Socket } from 'node:net';
import type { DeadAction, DeadAnswer } from '../../queue/dead';
import type { FailureKind } from '../../core';

export const CONTROL_VERSION = 1;
/** An edited message of the largest size, escaped as JSON text. */
export const LONGEST_REQUEST = 40 * 1024 * 1024;
export const LONGEST_ANSWER = 80 * 1024 * 1024;

export interface ControlRequest {
  readonly holdfast: number;
  readonly action: DeadAction;
  readonly request: unknown;
}
export type ControlAnswer =
  | { readonly holdfast: number; readonly answer: DeadAnswer }
  | {
      readonly holdfast: number;
      readonly failure: { readonly kind: FailureKind; readonly code: string; readonly message: string };
    };

export function writeLine(socket: Socket, line: ControlRequest | ControlAnswer): void {
  socket.write(`${JSON.stringify(line)}\n`);
}

/** Calls `line` with each whole line, `tooLong` once a line passes the limit. The last line needs its end, too. */
export function onLines(
  socket: Socket,
  longest: number,
  line: (text: string) => void,
  tooLong: () => void,
): void {
  let parts: Buffer[] = [];
  let size = 0;
  socket.on('data', (data: Buffer) => {
    let rest = data;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      if (size + end > longest) return tooLong();
      const text = Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8');
      parts = [];
      size = 0;
      rest = rest.subarray(end + 1);
      line(text);
    }
    size += rest.length;
    if (size > longest) return tooLong();
    if (rest.length > 0) parts.push(rest);
  });
}
