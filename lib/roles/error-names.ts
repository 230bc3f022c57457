/** Names errors for one connection: what happened, to which device. */
import { isFailure, toFailure, type Failure, type FailureKind } from '../core';
import type { ConnectorDeclaration } from './declare';
import { missingLibrary } from './missing-library';

const ABOUT_PEER: ReadonlySet<FailureKind> = new Set(['transient', 'disconnected', 'throttled', 'auth']);

export class ErrorNames {
  readonly #declaration: ConnectorDeclaration;
  readonly #name: string;
  readonly #unknown: (stack: string) => void;

  /** `unknown` logs the stack of an error that even the connector does not know. */
  constructor(declaration: ConnectorDeclaration, name: string, unknown: (stack: string) => void) {
    this.#declaration = declaration;
    this.#name = name;
    this.#unknown = unknown;
  }

  /** Any error as a Failure; never throws. */
  of(error: unknown): Failure {
    if (isFailure(error)) return this.#withName(error);
    const missing = missingLibrary(error);
    if (missing) return missing;
    const failure = this.#classify(error);
    if (failure.kind === 'unclassified') {
      this.#unknown((error instanceof Error && error.stack) || toFailure(error).message);
    }
    return failure;
  }

  #classify(error: unknown): Failure {
    try {
      return this.#withName(this.#declaration.classify(error));
    } catch (broken) {
      return toFailure(broken);
    }
  }

  /** A connector knows errors, not names; the engineer needs to know which device it was. */
  #withName(failure: Failure): Failure {
    if (ABOUT_PEER.has(failure.kind) && !failure.message.includes(this.#name)) {
      failure.message = `${this.#name}: ${failure.message}`;
    }
    return failure;
  }
}
