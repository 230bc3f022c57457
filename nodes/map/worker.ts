/**
 * A process that evaluates JSONata for one node. The parent kills it when it takes too long. A worker thread
 * would be lighter, but when a thread runs out of memory, V8 can end the whole runtime with it.
 */
import jsonata from 'jsonata';

export interface Task {
  readonly id: number;
  readonly jobs: readonly { readonly text: string; readonly input: unknown }[];
  readonly msg: unknown;
}
export type TaskOutcome = { readonly value: unknown } | { readonly error: string };
export interface Answer {
  readonly id: number;
  readonly outcomes: readonly TaskOutcome[];
}

const compiled = new Map<string, ReturnType<typeof jsonata>>();

async function evaluate(text: string, input: unknown, msg: unknown): Promise<TaskOutcome> {
  try {
    const known = compiled.get(text) ?? jsonata(text);
    compiled.set(text, known);
    return { value: (await known.evaluate(input, { msg })) as unknown };
  } catch (error) {
    return { error: describe(error) };
  }
}

/** JSONata throws plain objects with a message. */
function describe(error: unknown): string {
  const message =
    typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error;
  return `the expression failed: ${String(message)}`;
}

async function answer({ id, jobs, msg }: Task): Promise<void> {
  const outcomes: TaskOutcome[] = [];
  for (const { text, input } of jobs) outcomes.push(await evaluate(text, input, msg));
  try {
    send({ id, outcomes });
  } catch {
    // A function, for example: JSON leaves it out, as Node-RED does.
    const plain = outcomes.map((one): TaskOutcome => {
      if ('error' in one) return one;
      try {
        return {
          value:
            one.value === undefined
              ? undefined
              : (JSON.parse(JSON.stringify(one.value, withoutFunctions)) as unknown),
        };
      } catch {
        return { error: 'the result of the expression is no plain data' };
      }
    });
    send({ id, outcomes: plain });
  }
}

/** JSONata keeps its functions as objects that hold the whole environment. */
function withoutFunctions(_key: string, value: unknown): unknown {
  const isFunction =
    typeof value === 'object' &&
    value !== null &&
    ('_jsonata_lambda' in value || '_jsonata_function' in value);
  return isFunction ? undefined : value;
}

function send(message: Answer | 'ready'): void {
  process.send?.(message);
}

process.on('message', (task: Task) => void answer(task));
process.on('disconnect', () => process.exit());
send('ready');
