/** Makes a failing list of steps shorter, as long as it fails. */
import type { Step } from './actions';

/**
 * Drops larger and then smaller pieces, at last single events and actions. `fails` runs the rest; it is asked at most
 * `tries` times. Undefined: not even the whole list fails.
 */
export async function shrink(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<boolean>,
  tries: number,
): Promise<readonly Step[] | undefined> {
  let left = tries;
  const ask = async (some: readonly Step[]): Promise<boolean> => (left-- > 0 ? fails(some) : false);
  // What was under way in a crash may differ from run to run.
  if (!(await ask(steps)) && !(await ask(steps)) && !(await ask(steps))) return undefined;
  let parts = split(steps);
  for (let size = Math.ceil(parts.length / 2); left > 0; size = Math.floor(size / 2) || 1) {
    const before = parts.length;
    for (let at = 0; at < parts.length;) {
      const fewer = [...parts.slice(0, at), ...parts.slice(at + size)];
      if (await ask(fewer)) parts = fewer;
      else at += size;
    }
    if (size === 1 && parts.length === before) break;
  }
  return parts;
}

/** Events and actions one by one; an action that a crash interrupts stays with it. */
function split(steps: readonly Step[]): Step[] {
  return steps.flatMap((step): Step[] =>
    step.event?.do === 'crash'
      ? [step]
      : [{ event: step.event }, { action: step.action }].filter(isSomething),
  );
}

function isSomething({ event, action }: Step): boolean {
  return event !== undefined || action !== undefined;
}
