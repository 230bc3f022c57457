/** The counters of the metrics page, read as a monitoring system would. */
import assert from 'node:assert/strict';

export interface Ledger {
  readonly in: number;
  readonly out: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly queued: number;
}

export async function metricsText(url: string): Promise<string> {
  const response = await fetch(`${url}/holdfast/metrics`);
  assert.equal(response.status, 200, 'the metrics page does not answer');
  return response.text();
}

/** The counters of one node or connection by its id; zero where nothing was counted. */
export function ledgerOf(text: string, id: string): Ledger {
  const value = (name: string): number => {
    const line = text
      .split('\n')
      .find((one) => one.startsWith(`holdfast_${name}{`) && one.includes(`id="${id}"`));
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
  };
  return {
    in: value('messages_in_total'),
    out: value('messages_out_total'),
    failed: value('messages_failed_total'),
    cancelled: value('messages_cancelled_total'),
    queued: value('messages_queued'),
  };
}

export function assertConserved(ledger: Ledger, id: string): void {
  const { out, failed, cancelled, queued } = ledger;
  assert.equal(ledger.in, out + failed + cancelled + queued, `${id}: ${JSON.stringify(ledger)}`);
}
