/**
 * Holds every queue that the answers so far allow. Normally that is one; what was under way in a crash may have happened
 * or not, and both are kept until an answer tells them apart. When none is left, the store broke its word.
 */
import type { QueueOptions } from '../../../lib/queue';
import type { Action } from './actions';
import { outcomes, type Given } from './apply';
import { modelDead, modelShelf, modelStats, type Answer } from './answers';
import { ModelQueue } from './model';

/** A queue did what no queue may do. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export class Judge {
  #models: ModelQueue[];

  constructor(options: QueueOptions) {
    this.#models = [new ModelQueue(options)];
  }

  /** One of them; good enough to choose what to do next. */
  get likely(): ModelQueue {
    return this.#models[0] as ModelQueue;
  }

  /** A new step at this running time. */
  begin(step: number, now: number): void {
    for (const model of this.#models) {
      model.now = now;
      model.settle();
      model.step = step;
    }
  }

  /** Undefined: nobody knows the answer, nor whether it happened. */
  acted(action: Action, given: Given, answer: Answer | undefined): void {
    const possible = this.#models.flatMap((model) => outcomes(model, action, given));
    if (answer === undefined) this.#models.push(...possible.map(({ next }) => next));
    else {
      this.#keep(
        possible.filter((outcome) => outcome.answer === answer).map(({ next }) => next),
        `${action.do} answered ${answer}`,
        possible.map((outcome) => outcome.answer),
      );
    }
    for (const model of this.#models) model.settle();
  }

  /** The store ended and is there again. */
  ended(crash: boolean, now: number): void {
    for (const model of this.#models) {
      model.end(crash);
      model.now = now;
      model.settle();
    }
  }

  /** The counts of the queue, and its records where the store shows them. */
  looked(stats: Answer, shelf: Answer | undefined): void {
    const fits = this.#models.filter((model) => modelStats(model) === stats);
    this.#keep(fits, `stats are ${stats}`, this.#models.map(modelStats));
    if (shelf === undefined) return;
    const same = this.#models.filter((model) => modelShelf(model) === shelf);
    this.#keep(same, `inspect shows ${shelf}`, this.#models.map(modelShelf));
  }

  /** The dead letters, in their order; those of one step may stand in any. */
  listed(letters: readonly Answer[]): void {
    const fits = this.#models.filter((model) => adopt(model, letters));
    const wanted = this.#models.map(({ dead }) => dead.map(modelDead).join(' '));
    this.#keep(fits, `dead letters are ${letters.join(' ')}`, wanted);
  }

  #keep(models: ModelQueue[], what: string, instead: readonly Answer[]): void {
    if (models.length === 0) {
      throw new Violation(`${what}; it should be ${[...new Set(instead)].slice(0, 3).join(' or ')}`);
    }
    this.#models = models;
  }
}

function adopt(model: ModelQueue, letters: readonly Answer[]): boolean {
  const left = [...model.dead];
  const order = letters.map((letter) => {
    const at = left.findIndex((one) => modelDead(one) === letter);
    return at < 0 ? undefined : left.splice(at, 1)[0];
  });
  const found = order.filter((one) => one !== undefined);
  if (left.length > 0 || found.length < order.length) return false;
  if (found.some(({ step }, i) => step < (found[i - 1]?.step ?? 0))) return false;
  model.dead = found;
  return true;
}
