/** What keeps memory or the event loop busy: handles, timers (also those that do not hold the process), listeners. */

export interface Resources {
  /** By kind: TCPSocketWrap, MessagePort, timers, "listeners of process" … */
  readonly [kind: string]: number;
}

/** What both `process` and Node-RED's event emitter offer. */
interface Listened {
  eventNames(): readonly (string | symbol)[];
  listenerCount(event: string | symbol): number;
}

export interface TimerWatch {
  /** Timers that were set and neither fired nor were cleared, by the line that set them. */
  open(): Readonly<Record<string, number>>;
  /** The real one, for waiting without being counted. */
  readonly wait: (ms: number) => Promise<void>;
  restore(): void;
}

/** Counts every timer set from now on. Node's own list leaves out timers that do not keep the process alive. */
export function watchTimers(): TimerWatch {
  const { setTimeout: set, setInterval: every } = globalThis;
  const live = new Map<NodeJS.Timeout, string>();
  const track = (handle: NodeJS.Timeout): NodeJS.Timeout => {
    live.set(handle, callerOf());
    return handle;
  };
  const timeout = (fn: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): NodeJS.Timeout =>
    track(set(fn, ms, ...args));
  const interval = (fn: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): NodeJS.Timeout =>
    track(every(fn, ms, ...args));
  Object.assign(globalThis, {
    setTimeout: Object.assign(timeout, set),
    setInterval: Object.assign(interval, every),
  });
  return {
    open: () => {
      for (const handle of live.keys()) if (isOver(handle)) live.delete(handle);
      return countBy([...live.values()]);
    },
    wait: (ms) => new Promise((resolve) => void set(resolve, ms)),
    restore: () => void Object.assign(globalThis, { setTimeout: set, setInterval: every }),
  };
}

/** Node marks a timer that fired or was cleared, whichever way it was cleared. */
function isOver(handle: NodeJS.Timeout): boolean {
  return (handle as unknown as { _destroyed: boolean })._destroyed;
}

export function resourcesNow(timers: TimerWatch, emitters: Readonly<Record<string, Listened>>): Resources {
  const listeners = Object.entries(emitters).map(([name, emitter]) => {
    const count = emitter.eventNames().reduce((sum, event) => sum + emitter.listenerCount(event), 0);
    return [`listeners of ${name}`, count] as const;
  });
  const openTimers = Object.entries(timers.open()).map(([line, count]) => [`timer ${line}`, count] as const);
  // Timers are counted above, and a file being written is no leak.
  const handles = process
    .getActiveResourcesInfo()
    .filter((kind) => !/^(Timeout|Immediate|FSReq.*)$/.test(kind));
  return { ...countBy(handles), ...Object.fromEntries([...listeners, ...openTimers]) };
}

/** What there is more of than before; empty when nothing leaked. */
export function grown(before: Resources, now: Resources): readonly string[] {
  return Object.entries(now)
    .filter(([kind, count]) => count > (before[kind] ?? 0))
    .map(([kind, count]) => `${kind}: ${before[kind] ?? 0} → ${count}`);
}

function countBy(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** The first line outside this file that is no clock. */
function callerOf(): string {
  const lines = (new Error().stack ?? '').split('\n').slice(4);
  const line =
    lines.find((one) => !/clock\.(js|ts)|node:internal|wheel\.(js|ts)/.test(one)) ?? lines[0] ?? '';
  return line.trim().replace(/^at /, '');
}
