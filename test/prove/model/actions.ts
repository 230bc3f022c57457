/** What a sequence is made of: actions on one queue, and events that meet the whole store. */

/** A lease of this sequence: by chance among those that should still hold, or among all there ever were. */
export interface Pick {
  readonly at: number;
  readonly live: boolean;
}

export type Action =
  | {
      readonly do: 'put';
      readonly id: string;
      readonly key: string;
      readonly bytes: number;
      readonly failed: number;
    }
  | { readonly do: 'lease'; readonly max: number; readonly perKey: number; readonly visibilityMs: number }
  | { readonly do: 'acknowledge'; readonly of: Pick }
  | { readonly do: 'release'; readonly of: Pick }
  | { readonly do: 'deadLetter'; readonly of: Pick }
  | { readonly do: 'reject'; readonly of: Pick; readonly delayMs: number; readonly attempt: boolean }
  | { readonly do: 'extend'; readonly of: Pick; readonly visibilityMs: number }
  | { readonly do: 'replay' | 'purge' | 'reopen' }
  | { readonly do: 'replayOne'; readonly at: number; readonly edited: boolean }
  | { readonly do: 'purgeDead'; readonly at: number };

export type CrashKind = 'thread' | 'process' | 'power' | 'connection' | 'kill';
export type Event =
  | { readonly do: 'time'; readonly ms: number }
  | { readonly do: 'restart' }
  | { readonly do: 'crash'; readonly how: CrashKind };

/** The event comes first; a crash comes while the action is under way. */
export interface Step {
  readonly event?: Event | undefined;
  readonly action?: Action | undefined;
}

/** One line a step, for people. */
export function textOf({ event, action }: Step): string {
  return [event, action]
    .filter((one) => one !== undefined)
    .map(({ do: name, ...rest }) =>
      `${name} ${Object.keys(rest).length > 0 ? JSON.stringify(rest) : ''}`.trim(),
    )
    .join(event?.do === 'crash' ? ' during ' : ', then ');
}

/** The body of a record: it tells its id, and has the length that the action names. */
export function bodyOf(id: string, bytes: number, edited = false): Uint8Array {
  return Buffer.from((edited ? 'edited ' : '').concat(id).padEnd(bytes, '.').slice(0, bytes));
}
