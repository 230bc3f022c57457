import assert from 'node:assert/strict';
import { settle } from '../../test/helpers/virtual-clock';
import { connect, registers, row } from './peer.test';
import type { Frame } from './peer.test';

const READS = 10;
const rows = Array.from({ length: READS }, (_, i) => row(1, i * 10));
type Bed = ReturnType<typeof connect>;

/** Milliseconds of virtual time until the scan is answered. */
async function scan({ clock, read }: Bed): Promise<number> {
  const start = clock.mono();
  let over = false;
  const reading = read(...rows).finally(() => (over = true));
  await settle();
  while (!over) await clock.advance(1);
  assert.ok((await reading).every(({ quality }) => quality === 'good'));
  return clock.mono() - start;
}

/** A device that needs 2 ms and takes any number of requests at once. */
function quick({ clock, peer }: Bed): void {
  peer.reply = (frame) => {
    clock.timer(2, () => peer.push(registers(frame, 7)));
    return undefined;
  };
}

/**
 * A device with Nagle's algorithm (RFC 896) whose client delays acknowledgements by 40 ms: one small segment may be
 * without acknowledgement, what follows is kept back. The next request carries the acknowledgement.
 */
function nagle({ clock, peer }: Bed): void {
  let kept: Buffer[] = [];
  let open = false;
  let timer = clock.timer(0, () => {});
  const acknowledged = (): void => {
    timer.cancel();
    open = false;
    if (kept.length > 0) send(Buffer.concat(kept));
  };
  const send = (bytes: Buffer): void => {
    if (open) return void kept.push(bytes);
    open = true;
    kept = [];
    timer = clock.timer(40, acknowledged);
    peer.push(bytes);
  };
  peer.reply = (frame: Frame) => {
    clock.timer(1, () => send(registers(frame, 7)));
    acknowledged();
    return undefined;
  };
}

describe('modbus: pipelining', () => {
  it('reads ten blocks of a quick device in one round trip', async () => {
    const bed = connect({ gap: 0 });
    quick(bed);
    const times: number[] = [];
    for (let i = 0; i < 40; i += 1) times.push(await scan(bed));
    assert.equal(times.at(-1), 2);
    assert.ok(bed.session.windowOf(1) >= READS);
  });

  it('stays at one request where Nagle makes ten pipelined reads slower than ten sequential ones', async () => {
    const bed = connect({ gap: 0 });
    nagle(bed);
    const times: number[] = [];
    const windows: number[] = [];
    for (let i = 0; i < 300; i += 1) {
      times.push(await scan(bed));
      windows.push(bed.session.windowOf(1));
    }
    assert.ok(Math.max(...windows) <= 2, `tried ${Math.max(...windows)} at once`);
    assert.equal(windows.at(-1), 1);
    const slow = times.filter((ms) => ms > READS * 2).length;
    assert.ok(slow > 0, 'the device is not slower with two at once: the test proves nothing');
    assert.ok(slow <= 21, `${slow} of 300 scans were slow`);
  });

  it('keeps one timer, however many requests get lost among others that are answered', async () => {
    const bed = connect({ gap: 0 });
    const { clock, peer, session, read } = bed;
    quick(bed);
    for (let i = 0; i < 40; i += 1) await scan(bed);
    assert.ok(session.windowOf(1) >= READS, 'requests are pipelined');
    const answer = peer.reply;
    peer.reply = (frame) => (frame.address === 0 ? undefined : answer(frame));
    const scans: Promise<unknown>[] = [];
    for (let i = 0; i < 12; i += 1) {
      scans.push(read(...rows));
      await clock.advance(310);
      assert.ok(clock.pending <= 1, `${clock.pending} timers for ${session.underWay} requests`);
    }
    await clock.advance(30_000);
    await Promise.all(scans);
    peer.reply = () => undefined;
    const last = read(...rows).catch(() => undefined);
    await settle();
    session.close();
    await last;
    assert.equal(clock.pending, 0, 'timers outlive the session');
  });
});
