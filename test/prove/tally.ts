/** Adds up verdicts, and keeps the ledgers of those that are not as they must be. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Verdict } from './check';
import type { LedgerEvent } from './ledger';

export class Tally {
  points = 0;
  messages = 0;
  lost = 0;
  duplicated = 0;
  disordered = 0;
  wrong = 0;
  readonly failures: string[] = [];

  constructor(readonly keep: string) {}

  add(name: string, verdict: Verdict, events: readonly LedgerEvent[]): void {
    this.messages += verdict.messages;
    this.duplicated += verdict.duplicated;
    this.lost += verdict.lost.length;
    this.disordered += verdict.disordered.length;
    this.wrong += verdict.wrong.length;
    const lost = verdict.lost.map((id) => `${id} is lost.`);
    const found = [...lost, ...verdict.disordered, ...verdict.wrong];
    if (found.length === 0) return;
    const file = join(this.keep, `${name.replace(/[^\w.-]+/g, '-')}.jsonl`);
    mkdirSync(this.keep, { recursive: true });
    writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    this.failures.push(`${name}: ${found.slice(0, 4).join(' ')} (${found.length} faults; ledger in ${file})`);
  }

  get fine(): boolean {
    return this.failures.length === 0;
  }
}
