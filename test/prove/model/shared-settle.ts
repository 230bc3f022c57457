/** What settling a lease makes of a record. */
import type { QueueOptions } from '../../../lib/queue';
import type { Action } from './actions';
import { isLast, moved, type Known, type Place } from './shared';
import { LATE_MS, type Span } from './shared-judge';

export type Settling = Extract<Action, { readonly of: unknown }>;

/** `sure`: it happened. Else it may have. */
export function settled(
  one: Known,
  action: Settling,
  attempt: string,
  sure: boolean,
  span: Span,
  options: QueueOptions,
): void {
  // Several copies, or deliveries that nobody saw: it may have died of them.
  const maybeLast = action.do === 'reject' && isLast(one, options) && one.low < options.maxDeliveries;
  const end = (back: (place: Place) => readonly Place[]): void => {
    // What was settled was in the queue.
    if (sure) one.places = one.places.filter(({ queue }) => queue > 0);
    one.places = moved(one.places, (place) => {
      if (place.queue === 0) return [place];
      return sure ? back(place) : [place, ...back(place)];
    });
    if (sure) one.state = 'free';
  };
  if (action.do === 'extend') return extend(one, action.visibilityMs, sure, span);
  if (action.do === 'acknowledge') return end((place) => [{ ...place, queue: place.queue - 1 }]);
  if (action.do === 'deadLetter' || (action.do === 'reject' && isLast(one, options))) {
    const tells = action.do === 'deadLetter' || action.attempt;
    one.history =
      sure && !maybeLast && one.history ? [...one.history, ...(tells ? [attempt] : [])] : undefined;
    return end(({ queue, dead }) => {
      const gone = { queue: queue - 1, dead: dead + 1 };
      // A crash between the two steps of a burial leaves both.
      if (maybeLast) return [gone, { queue, dead }, { queue, dead: dead + 1 }];
      return sure ? [gone] : [gone, { queue, dead: dead + 1 }];
    });
  }
  if (sure) one.places = one.places.filter(({ queue }) => queue > 0);
  else {
    one.history = undefined;
    if (action.do === 'release') one.low = Math.max(0, one.low - 1);
    return;
  }
  if (action.do === 'release') {
    one.low = Math.max(0, one.low - 1);
    one.high -= 1;
  } else if (action.attempt && one.history) one.history = [...one.history, attempt];
  const delayMs = action.do === 'reject' ? action.delayMs : 0;
  const times = { from: span.delayBegan + delayMs, until: span.delayEnded + delayMs };
  Object.assign(one, delayMs > 0 ? { state: 'delayed', ...times } : { state: 'free' });
}

function extend(one: Known, visibilityMs: number, sure: boolean, span: Span): void {
  const from = span.began + visibilityMs;
  const until = span.ended + visibilityMs + LATE_MS;
  Object.assign(
    one,
    sure ? { from, until } : { from: Math.min(one.from, from), until: Math.max(one.until, until) },
  );
}
