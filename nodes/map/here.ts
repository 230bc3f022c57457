import type { Job, Outcome } from './program';
import { textOf } from './trouble';

/** Evaluates one expression where it stands. For the preview and for simple expressions. */
export async function evaluateHere({ expression, input }: Job, msg: unknown): Promise<Outcome> {
  try {
    return { value: await expression.evaluate(input, msg) };
  } catch (error) {
    return { error: `the expression failed: ${textOf(error)}` };
  }
}
