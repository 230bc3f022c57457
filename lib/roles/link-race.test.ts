/** What can go wrong between an opening and a close. */
import assert from 'node:assert/strict';
import { Failure, isFailure, Scope } from '../core';
import { Harness } from '../../test/helpers/harness';
import { settle, VirtualClock } from '../../test/helpers/virtual-clock';
import type { Connection } from './connection';
import { defineConnector } from './declare';
import { Link } from './link';
import { secret, text } from '../spec';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NO_RETRY = { strategy: 'none', attempts: 1, baseMs: 0, maxMs: 0 } as const;

class System {
  opened = 0;
  closed = 0;
  simulators = 0;
  running = 0;
  passwords: string[] = [];
  lost: (error: unknown) => void = () => {};
  load: () => Promise<void> = () => Promise.resolve();
  stop: () => Promise<void> = () => Promise.resolve();
  refuse: (password: string) => boolean = () => false;
  ping: (() => Promise<void>) | undefined;

  readonly connector = defineConnector({
    type: 'holdfast-race-connection',
    version: 1,
    label: 'race',
    summary: 'A peer.',
    fields: {
      host: text({ label: 'Host', help: 'The host.', default: 'x' }),
      key: secret({ label: 'Key', help: 'The key.', optional: true }),
    },
    open: (ctx) => {
      this.lost = ctx.lost;
      this.passwords.push(ctx.config.key);
      if (this.refuse(ctx.config.key)) return Promise.reject(new Failure('auth', 'AUTH_FAILED', 'Refused.'));
      this.opened += 1;
      return Promise.resolve({ password: ctx.config.key });
    },
    close: () => {
      this.closed += 1;
      return Promise.resolve();
    },
    ping: () => (this.ping ? this.ping() : Promise.resolve()),
    classify: (error) => new Failure('disconnected', 'CONNECTION_LOST', String(error)),
    simulator: {
      load: async () => {
        await this.load();
        return {
          start: () => {
            this.simulators += 1;
            this.running += 1;
            return Promise.resolve({
              host: '127.0.0.1',
              port: 1,
              close: () => {
                this.running -= 1;
                return this.stop();
              },
            });
          },
        };
      },
      apply: (config) => config,
    },
  });
}

describe('a connection between opening and close', () => {
  let clock: VirtualClock;
  let system: System;
  let harness: Harness;
  let folder: string;

  beforeEach(() => {
    clock = new VirtualClock();
    system = new System();
    harness = new Harness({ clock, random: () => 0.5 });
    folder = mkdtempSync(join(tmpdir(), 'holdfast-race-'));
  });
  afterEach(async () => {
    const closing = harness.close();
    await clock.advance(40_000);
    await closing;
    rmSync(folder, { recursive: true });
    assert.equal(clock.pending, 0, 'timers left');
    assert.equal(harness.runtime.redactor.size, 0, 'secrets left');
  });

  const call = (connection: Connection, fn: () => Promise<unknown>, scope: Scope): Promise<unknown> =>
    connection.run({ effect: 'safe', timeoutMs: 1000, retry: NO_RETRY, key: 'k', scope, call: fn });

  /** Files are read by the thread pool, which no virtual clock knows. */
  async function until(test: () => boolean): Promise<void> {
    for (let i = 0; i < 10_000 && !test(); i += 1) await settle();
    assert.ok(test());
  }

  it('starts no simulator when it was closed meanwhile', async () => {
    const { connection } = harness.connection(system.connector, { simulate: true });
    connection.attach({}, () => {})();
    await connection.close();
    await settle();
    assert.equal(system.running, 0);
  });

  it('starts one simulator, however often the opening times out', async () => {
    let release: () => void = () => {};
    system.load = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const { connection } = harness.connection(system.connector, { simulate: true, openTimeout: '1s' });
    connection.attach({}, () => {})();
    await clock.advance(20_000);
    release();
    await clock.advance(40_000);
    assert.deepEqual([system.simulators, system.opened], [1, 1]);
  });

  it('leaves the board, the metrics and the listeners, also when the simulator cannot be closed', async () => {
    system.stop = () => Promise.reject(new Error('stuck'));
    const { connection } = harness.connection(system.connector, { simulate: true });
    connection.attach({}, () => {})();
    await clock.advance(10);
    await connection.close().catch(() => {});
    assert.deepEqual(harness.runtime.board.reports(), []);
    assert.deepEqual(harness.runtime.metrics.snapshot(), []);
  });

  it('closes in time, also when the simulator never ends', async () => {
    system.stop = () => new Promise(() => {});
    const { connection } = harness.connection(system.connector, { simulate: true });
    connection.attach({}, () => {})();
    await clock.advance(10);
    let closed = false;
    void connection.close().then(() => (closed = true));
    await clock.advance(14_000);
    assert.ok(closed);
  });

  it('keeps its secrets out of the redactor after a close during the preparation', async () => {
    const path = join(folder, 'key');
    writeFileSync(path, 'canary-key-1');
    const { connection } = harness.connection(system.connector, {}, { key: `file:${path}` });
    connection.attach({}, () => {})();
    await settle();
    await connection.close();
    await until(() => harness.runtime.redactor.size === 0);
    assert.equal(system.opened, system.closed);
  });

  it('reads a secret anew after the peer refused it at the opening', async () => {
    const path = join(folder, 'key');
    writeFileSync(path, 'canary-old');
    system.refuse = (password) => password === 'canary-old';
    const { connection } = harness.connection(system.connector, {}, { key: `file:${path}` });
    connection.attach({}, () => {})();
    await until(() => system.passwords.length === 1);
    writeFileSync(path, 'canary-new');
    await clock.advance(31_000);
    await until(() => system.opened === 1);
    assert.deepEqual(system.passwords, ['canary-old', 'canary-new']);
  });

  it('opens anew with the new secret when a call is refused and its file was replaced', async () => {
    const path = join(folder, 'key');
    writeFileSync(path, 'canary-old');
    const { connection } = harness.connection(system.connector, {}, { key: `file:${path}` });
    connection.attach({}, () => {})();
    await until(() => system.opened === 1);
    const refused = (): Promise<unknown> => Promise.reject(new Failure('auth', 'AUTH_FAILED', 'Refused.'));
    await assert.rejects(call(connection, refused, new Scope()), { code: 'AUTH_FAILED' });
    for (let i = 0; i < 50; i += 1) await settle();
    assert.equal(system.closed, 0, 'the same secret: the session stays');
    writeFileSync(path, 'canary-new');
    await clock.advance(2000);
    await assert.rejects(call(connection, refused, new Scope()), { code: 'AUTH_FAILED' });
    await until(() => system.closed === 1);
    await clock.advance(1000);
    await until(() => system.opened === 2);
    assert.deepEqual(system.passwords, ['canary-old', 'canary-new']);
  });

  it('needs no secrets while simulated', async () => {
    const { connection } = harness.connection(
      system.connector,
      { simulate: true },
      { key: 'file:/does/not/exist' },
    );
    connection.attach({}, () => {})();
    await clock.advance(10);
    assert.equal(system.opened, 1);
  });

  it('survives a listener and a subscriber that throw when the session ends', async () => {
    const { connection } = harness.connection(system.connector, {});
    const statuses: string[] = [];
    connection.attach({}, () => {
      throw new Error('broken listener');
    })();
    const bad = connection.attach({}, () => {
      throw new Error('broken listener');
    });
    connection.attach({}, () => statuses.push(connection.status().text))();
    const good = connection.attach({}, () => statuses.push(connection.status().text));
    connection.onSession(() => () => {
      throw new Error('broken end');
    });
    await clock.advance(10);
    assert.doesNotThrow(() => system.lost(new Error('gone')));
    assert.equal(statuses.at(-1), 'connection lost');
    bad();
    good();
  });

  it('classifies a ping that throws at once', async () => {
    system.ping = () => {
      throw new Error('socket is null');
    };
    const { connection } = harness.connection(system.connector, { reopenMax: '1s' });
    connection.attach({}, () => {})();
    await clock.advance(10);
    assert.equal(system.closed, 1);
  });

  it('stays up when the ping is refused but answered', async () => {
    system.ping = () => Promise.reject(new Failure('rejected', 'PEER_REJECTED', 'Not allowed.'));
    const { connection } = harness.connection(system.connector, {});
    connection.attach({}, () => {})();
    await clock.advance(120_000);
    assert.deepEqual([system.opened, system.closed], [1, 0]);
    assert.notEqual(connection.status().level, 'bad');
  });
});

describe('link, at the edge of an opening', () => {
  for (let microtasks = 0; microtasks < 8; microtasks += 1) {
    it(`closes a session that arrives ${microtasks} microtasks before the close`, async () => {
      const clock = new VirtualClock();
      let arrive: (session: number) => void = () => {};
      const closed: number[] = [];
      const link = new Link<number>({
        open: () =>
          new Promise((resolve) => {
            arrive = resolve;
          }),
        close: (session) => {
          closed.push(session);
          return Promise.resolve();
        },
        name: (error) => (isFailure(error) ? error : new Failure('disconnected', 'CONNECTION_LOST', 'x')),
        clock,
        random: () => 1,
        openTimeoutMs: 5000,
        reopenMaxMs: 8000,
        onChange: () => {},
        peer: '"PLC"',
      });
      link.start();
      await settle();
      arrive(7);
      for (let i = 0; i < microtasks; i += 1) await Promise.resolve();
      await link.close();
      await settle();
      assert.deepEqual(closed, [7]);
      assert.equal(clock.pending, 0);
    });
  }
});
