/** Starts an event source whenever a session is open, and starts it again when the start was refused. */
import { Scope, toFailure, type Failure, type Timer } from '../core';
import type { Fields } from '../spec';
import type { Connection } from './connection';
import type { TriggerContext, TriggerDeclaration } from './declare';

interface Report {
  readonly failed: (failure: Failure) => void;
  readonly recovered: () => void;
}
type Stop = () => void | Promise<void>;

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

export class Listening {
  readonly #declaration: TriggerDeclaration;
  readonly #context: TriggerContext<Fields, unknown>;
  readonly #connection: Connection | undefined;
  readonly #report: Report;
  #end: Stop | undefined;
  #code = '';

  constructor(
    declaration: TriggerDeclaration,
    context: TriggerContext<Fields, unknown>,
    connection: Connection | undefined,
    report: Report,
  ) {
    this.#declaration = declaration;
    this.#context = context;
    this.#connection = connection;
    this.#report = report;
  }

  start(): void {
    this.#end = this.#connection
      ? this.#connection.onSession((session) => this.#run(session))
      : this.#run(undefined);
  }

  async stop(): Promise<void> {
    await this.#end?.();
  }

  /** One session's worth of listening; the returned function ends it. */
  #run(session: unknown): Stop {
    const scope = new Scope();
    const off = this.#context.scope.onAbort((reason) => scope.abort(reason));
    let stop: Stop | undefined;
    let timer: Timer | undefined;
    let pause = FIRST_PAUSE_MS;
    const isOver = (): boolean => scope.aborted;
    const begin = (): void => {
      this.#begin({ ...this.#context, session, scope }).then(
        (end) => {
          stop = end;
          if (scope.aborted) return void quietly(end);
          this.#code = '';
          this.#report.recovered();
        },
        (error: unknown) => {
          if (scope.aborted) return;
          const failure = this.#connection?.met(session, error) ?? toFailure(error);
          // A start that keeps being refused is reported once.
          if (failure.code !== this.#code) this.#report.failed(failure);
          this.#code = failure.code;
          // A dead session has ended this listening; the next one begins anew.
          if (isOver()) return;
          if (failure.kind === 'config') return;
          timer = this.#context.clock.timer(pause, begin);
          pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        },
      );
    };
    begin();
    return () => {
      off();
      timer?.cancel();
      scope.abort();
      return stop?.();
    };
  }

  async #begin(context: TriggerContext<Fields, unknown>): Promise<Stop> {
    return (await this.#declaration.start?.(context)) ?? (() => {});
  }
}

/** Ends what came too late for anyone to care. */
async function quietly(end: Stop): Promise<void> {
  try {
    await end();
  } catch {
    // It is over all the same.
  }
}
