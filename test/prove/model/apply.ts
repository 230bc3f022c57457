/** What may come of an action: all answers that a queue may give, each with the queue as it is afterwards. */
import { bodyOf, type Action } from './actions';
import { answerOf, type Answer } from './answers';
import type { Letter, ModelQueue } from './model';

export interface Outcome {
  readonly answer: Answer;
  readonly next: ModelQueue;
}
/** What the lane has found out before it acts. */
export interface Given {
  /** The lease that the action names: its number among all, -1 for none. */
  readonly hold: number;
  /** Leases that the sequence got before. */
  readonly holds: number;
  /** The dead letter that the action names, by its place in the list. */
  readonly letter: number;
  /** What an attempt of this step says. */
  readonly attempt: string;
}

/** The model is settled; it is not changed. */
export function outcomes(model: ModelQueue, action: Action, given: Given): Outcome[] {
  const one = (work: (next: ModelQueue) => unknown): Outcome[] => {
    const next = model.clone();
    return [{ answer: answerOf(work(next)), next }];
  };
  switch (action.do) {
    case 'put':
      return put(model, action);
    case 'lease':
      return one((next) =>
        next
          .lease(action.max, action.perKey, action.visibilityMs, given.holds)
          .map(({ id, key, body, delivery, history }) => ({ id, key, body, delivery, history })),
      );
    case 'replay':
      return one((next) => next.dead.map((letter) => next.revive(letter)).length);
    case 'replayOne':
      return one((next) =>
        withLetter(next, given.letter, (letter) => next.revive(letter, edited(letter, action.edited))),
      );
    case 'purgeDead':
      return one((next) =>
        withLetter(
          next,
          given.letter,
          (letter) => (next.dead = next.dead.filter((other) => other !== letter)),
        ),
      );
    case 'purge':
      return one((next) => next.purge());
    case 'reopen':
      return one((next) => next.close());
    default:
      return one((next) => settle(next, action, given));
  }
}

function put(model: ModelQueue, { id, key, bytes, failed }: Action & { readonly do: 'put' }): Outcome[] {
  const { whenFull } = model.options;
  const as = (answer: Answer, work: (next: ModelQueue) => void): Outcome => {
    const next = model.clone();
    work(next);
    return { answer, next };
  };
  const store = (next: ModelQueue): void => {
    const history = Array.from({ length: failed }, (_, i) => `before ${i}`);
    next.append(id, key, Buffer.from(bodyOf(id, bytes)).toString(), history);
    next.see(id);
  };
  const dropNew = (next: ModelQueue): void => {
    next.totals.put += 1;
    next.totals.full += 1;
  };
  if (model.isDuplicate(id)) return [as(answerOf('duplicate'), (next) => (next.totals.duplicates += 1))];
  if (!model.isOver(bytes)) return [as(answerOf('stored'), store)];
  if (whenFull === 'reject') return [as(FULL, () => {})];
  if (whenFull === 'dropNewest') return [as(answerOf('dropped'), dropNew)];
  const roomy = model.clone();
  if (roomy.makeRoom(bytes)) return [as(answerOf('stored'), (next) => (next.makeRoom(bytes), store(next)))];
  // All that are left are leased, or it is larger than the queue: it may be refused or dropped, others may have gone.
  return [
    as(FULL, () => {}),
    as(FULL, (next) => void next.makeRoom(bytes)),
    as(answerOf('dropped'), dropNew),
    as(answerOf('dropped'), (next) => (next.makeRoom(bytes), dropNew(next))),
  ];
}

const FULL: Answer = '"QUEUE_FULL"';

function settle(
  next: ModelQueue,
  action: Exclude<
    Action,
    { readonly do: 'put' | 'lease' | 'replay' | 'replayOne' | 'purge' | 'purgeDead' | 'reopen' }
  >,
  { hold, attempt }: Given,
): boolean {
  const record = next.held(hold);
  if (!record) return false;
  if (action.do === 'acknowledge') {
    next.remove(record);
    next.totals.acknowledged += 1;
  } else if (action.do === 'release') next.release(record);
  else if (action.do === 'deadLetter') next.bury(record, attempt);
  else if (action.do === 'extend') record.due = next.now + action.visibilityMs;
  else next.fail(record, action.attempt ? attempt : undefined, action.delayMs);
  return true;
}

function withLetter(next: ModelQueue, at: number, work: (letter: Letter) => void): number {
  const letter = next.dead[at];
  if (letter) work(letter);
  return letter ? 1 : 0;
}

function edited({ id, body }: Letter, isEdited: boolean): string {
  return isEdited ? Buffer.from(bodyOf(id, body.length, true)).toString() : body;
}
