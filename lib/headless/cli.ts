#!/usr/bin/env node
/** The command line. Each command loads with its first use. */

type Print = (line: string) => void;

const USAGE = `holdfast run <flow.json>            runs a flow file without an editor, for CI
holdfast dead-letters <action>      lists, shows, replays and removes dead letters

Each command explains itself with --help.`;
/** Promises of sockets and threads keep no process alive; this does, until the command has ended. */
const LONG_MS = 2_147_483_647;

/** Runs a command. Returns the exit code. */
export async function main(args: readonly string[], print: Print, complain = print): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'run':
      return (require('./commands/run') as typeof import('./commands/run')).run(rest, print);
    case 'dead-letters':
      return deadLetters().deadLetters(rest, print, complain);
    case '--help':
      print(USAGE);
      return 0;
    default:
      complain(USAGE);
      return 2;
  }
}

function deadLetters(): typeof import('./commands/dead-letters') {
  return require('./commands/dead-letters') as typeof import('./commands/dead-letters');
}

if (require.main === module) {
  const alive = setInterval(() => {}, LONG_MS);
  main(process.argv.slice(2), console.log, console.error)
    .then(
      (code) => {
        process.exitCode = code;
      },
      (error: unknown) => {
        console.error(error);
        process.exitCode = 2;
      },
    )
    .finally(() => clearInterval(alive));
}
