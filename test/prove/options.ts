/** The few options that all proofs share. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export interface Options {
  readonly seed: number;
  /** A tenth of the work, for a first look. */
  readonly quick: boolean;
  /** Processes at the same time. */
  readonly jobs: number;
  /** Only the parts whose names contain this. */
  readonly only: string;
}

export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      quick: { type: 'boolean', default: false },
      jobs: { type: 'string', default: String(Math.min(4, availableParallelism())) },
      only: { type: 'string', default: '' },
    },
  });
  return {
    seed: whole('seed', values.seed),
    jobs: whole('jobs', values.jobs),
    quick: values.quick,
    only: values.only,
  };
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} must be a whole number of at least 1.`);
  return value;
}

/** Runs a proof as a command: its result is the exit code. */
export function command(main: (options: Options) => Promise<boolean>): void {
  const fail = (error: unknown): void => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  };
  // What is temporary, and every process that was started, ends with the process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  Promise.resolve()
    .then(() => main(readOptions(process.argv.slice(2))))
    .then((fine) => void (process.exitCode = fine ? 0 : 1), fail);
}
