import { Failure } from '../../core';

const NAME = /^[A-Za-z0-9._\-/]{1,100}$/;

/** Throws unless it is a name that a queue or a key memory may have. */
export function checkName(name: string): void {
  if (typeof name === 'string' && NAME.test(name)) return;
  throw new Failure(
    'config',
    'BAD_CONFIG',
    'The name of a queue must have 1 to 100 characters: letters, digits, ".", "_", "-" or "/".',
    { reached: false },
  );
}
