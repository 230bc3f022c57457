import { Failure } from '../core';

const NAME = /Cannot find (?:module|package) '([^']+)'/;

/** Client libraries are optional: one that is not installed stops only its own node, with what to install. */
export function missingLibrary(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (error.code !== 'MODULE_NOT_FOUND' && error.code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  const name = NAME.exec(error.message)?.[1] ?? 'a library';
  return new Failure(
    'config',
    'MISSING_LIBRARY',
    `The library "${name}" is not installed. Run "npm install ${name}" in Node-RED's user directory and restart Node-RED.`,
    { reached: false, details: { library: name }, cause: error },
  );
}
