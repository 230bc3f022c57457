import { Failure, type Message } from '../core';
import type { TypedValue } from '../spec';
import type { Red, RedNode } from './types';

/**
 * Evaluates a typed input as Node-RED does. Bad JSON and JSONata throw synchronously there, even with a
 * callback, so both ways end in one rejection.
 */
export function evaluateTyped(RED: Red, node: RedNode, typed: TypedValue, msg: Message): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => {
      const why = error instanceof Error ? error.message : String(error);
      reject(
        new Failure(
          'rejected',
          'BAD_MESSAGE',
          `The ${typed.type} input "${typed.value.slice(0, 60)}" fails: ${why}`,
          {
            reached: false,
            cause: error,
          },
        ),
      );
    };
    try {
      RED.util.evaluateNodeProperty(typed.value, typed.type, node, msg, (error, value) => {
        if (error) refuse(error);
        else resolve(value);
      });
    } catch (error) {
      refuse(error);
    }
  });
}
