/** The counters of the metrics page, read as a monitoring system would. */
import assert from 'node:assert/strict';

export interface Ledger {
  readonly in: number;
  readonly out: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly dead: number;
  readonly dropped: number;
  readonly queued: number;
}

export async function metricsText(url: string): Promise<string> {
  const response = await fetch(`${url}/holdfast/metrics`);
  assert.equal(response.status, 200, 'the metrics page does not answer');
  return response.text();
}

/** The counters of one node or connection by its id; zero where nothing was counted. */
export function ledgerOf(text: string, id: string): Ledger {
  const value = (name: string): number =>
    text
      .split('\n')
      .filter((one) => one.startsWith(`holdfast_${name}{`) && one.includes(`id="${id}"`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  return {
    in: value('messages_in_total'),
    out: value('messages_out_total'),
    failed: value('messages_failed_total'),
    cancelled: value('messages_cancelled_total'),
    dead: value('messages_dead_total'),
    dropped: value('messages_dropped_total'),
    queued: value('messages_queued'),
  };
}

export function assertConserved(ledger: Ledger, id: string): void {
  const { out, failed, cancelled, dead, dropped, queued } = ledger;
  assert.equal(
    ledger.in,
    out + failed + cancelled + dead + dropped + queued,
    `${id}: ${JSON.stringify(ledger)}`,
  );
}
