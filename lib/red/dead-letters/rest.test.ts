import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '../../core';
import { boot, type Headless } from '../../headless';
import { decodeMessage } from '../../queue/codec';
import { openFileStore } from '../../queue/file/store';
import type { QueueStore } from '../../queue/types';
import { addDead, PRESS } from '../../../test/helpers/dead-letters';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown> & { code?: string; message?: string };
}

/** Tokens stand for users with these permissions. */
const adminAuth = {
  type: 'credentials',
  users: [],
  tokens: (token: string) =>
    Promise.resolve(token === 'read' || token === '*' ? { username: token, permissions: token } : null),
};

describe('dead letters: REST', () => {
  let userDir: string;
  let red: Headless | undefined;

  const withStore = async <T>(use: (store: QueueStore) => Promise<T>): Promise<T> => {
    const folder = join(userDir, 'holdfast');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const store = await openFileStore({
      path: join(folder, 'queues.db'),
      clock: systemClock,
      log: silentLog,
    });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  };
  const start = async (settings: Record<string, unknown> = {}): Promise<void> => {
    red = await boot({ flows: [], userDir, http: true, settings });
  };
  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`${red?.url ?? ''}/holdfast/dead-letters${path}`, { method, ...init });
    const text = await response.text();
    assert.doesNotMatch(text, /\bat .*\.js:\d+|node_modules/, 'a stack in the answer');
    const json = response.headers.get('content-type')?.startsWith('application/json') === true;
    const body = json ? (JSON.parse(text) as Answer['body']) : {};
    return { status: response.status, headers: response.headers, text, body };
  };
  const post = (path: string, body: unknown, type = 'application/json'): Promise<Answer> =>
    ask('POST', path, {
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: type === '' ? {} : { 'content-type': type },
    });
  const left = async (): Promise<unknown[]> =>
    ((await ask('GET', '')).body['letters'] as { number: number }[]).map(({ number }) => number);

  beforeEach(async () => {
    userDir = mkdtempSync(join(tmpdir(), 'holdfast-rest-'));
    await withStore(async ({ dead }) => {
      assert.ok(dead);
      await addDead(dead, { id: 'a', msg: { payload: { bolt: 7 }, headers: { cookie: 'session=7351' } } });
      await addDead(dead, { id: 'b', queue: 'bills', code: 'EXPIRED' });
      await addDead(dead, { id: 'c', source: { ...PRESS, node: 'oven' } });
    });
  });
  afterEach(async () => {
    await red?.stop();
    red = undefined;
    rmSync(userDir, { recursive: true });
  });

  it('lists by filter and page, without bodies, with totals', async () => {
    await start();
    const all = await ask('GET', '');
    assert.equal(all.status, 200);
    assert.equal(all.headers.get('cache-control'), 'no-store');
    const letters = all.body['letters'] as Record<string, unknown>[];
    assert.deepEqual(
      letters.map(({ number }) => number),
      [1, 2, 3],
    );
    const { time, bytes, ...facts } = letters[0] ?? {};
    assert.deepEqual(facts, {
      number: 1,
      queue: 'orders',
      id: 'a',
      key: '',
      attempts: 1,
      firstAt: '2026-01-01T00:00:00.000Z',
      lastAt: '2026-01-01T00:00:00.000Z',
      kind: 'rejected',
      code: 'PEER_REJECTED',
      reason: 'The server refused the order.',
      source: PRESS,
    });
    assert.equal(time, '2026-01-01T00:00:00.000Z');
    assert.ok(typeof bytes === 'number' && bytes > 0);
    assert.equal((all.body['totals'] as { records: number }).records, 3);
    const numbers = async (query: string): Promise<unknown> => {
      const { body } = await ask('GET', `?${query}`);
      return [(body['letters'] as { number: number }[]).map(({ number }) => number), body['next']];
    };
    assert.deepEqual(await numbers('limit=2'), [[1, 2], 2]);
    assert.deepEqual(await numbers('limit=2&after=2'), [[3], null]);
    assert.deepEqual(await numbers('queue=bills'), [[2], null]);
    assert.deepEqual(await numbers('code=PEER_REJECTED&node=oven'), [[3], null]);
    assert.deepEqual(await numbers('id=a&kind=rejected&key='), [[1], null]);
    assert.deepEqual(await numbers('since=2026-01-02T00:00:00Z'), [[], null]);
  });

  it('shows one with its message and history; credentials are hidden', async () => {
    await start();
    const { status, body } = await ask('GET', '/1');
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(String(body.message)), { payload: { bolt: 7 }, headers: { cookie: '•••' } });
    assert.deepEqual(body['history'], [
      {
        at: '2026-01-01T00:00:00.000Z',
        kind: 'rejected',
        code: 'PEER_REJECTED',
        reason: 'The server refused the order.',
      },
    ]);
    for (const number of ['4', '0', 'x', '1e3', '99999999999999999999']) {
      const missing = await ask('GET', `/${number}`);
      assert.equal(missing.status, number === '4' ? 404 : 400, number);
      assert.match(String(missing.body.message), /^\S.*\.$/);
    }
  });

  it('replays with and without an edit, and the ids stay', async () => {
    await start();
    assert.deepEqual((await post('/replay', { queue: 'bills' })).body, { replayed: 1 });
    const masked = await post('/replay', { numbers: [1], message: '{"headers":{"cookie":"•••"}}' });
    assert.equal(masked.status, 400);
    assert.match(String(masked.body.message), /where a secret was hidden/);
    assert.equal((await post('/replay', { numbers: [1], message: '{"payload":' })).status, 400);
    assert.equal((await post('/replay', { numbers: [9], message: '{}' })).status, 404);
    assert.deepEqual(await left(), [1, 3]);
    assert.deepEqual((await post('/replay', { numbers: [1], message: { payload: 8 } })).body, {
      replayed: 1,
    });
    assert.deepEqual(await left(), [3]);
    await red?.stop();
    red = undefined;
    const options = {
      owner: PRESS,
      ordered: true,
      maxRecords: 0,
      maxBytes: 0,
      maxAgeMs: 0,
      maxDeliveries: 0,
    };
    const policy = { whenFull: 'reject', whenOld: 'drop', duplicateWindowMs: 0 } as const;
    await withStore(async (store) => {
      const queue = await store.open('orders', { ...options, ...policy });
      const [one] = await queue.lease({ max: 1, perKey: 1, visibilityMs: 60_000 });
      assert.equal(one?.entry.id, 'a');
      assert.deepEqual(decodeMessage(one.entry.body), { payload: 8 });
      await queue.close();
    });
  });

  it('purges by number, by filter, and everything only when told so', async () => {
    await start();
    assert.deepEqual((await ask('DELETE', '/1')).body, { purged: 1 });
    assert.equal((await ask('DELETE', '/1')).status, 404);
    for (const wrong of [
      {},
      { all: false },
      { all: true, queue: 'bills' },
      { queues: 'bills' },
      { numbers: [] },
    ]) {
      const refused = await post('/purge', wrong);
      assert.equal(refused.status, 400, JSON.stringify(wrong));
      assert.equal(refused.body.code, 'BAD_MESSAGE');
    }
    assert.deepEqual(await left(), [2, 3]);
    assert.deepEqual((await post('/purge', { queue: 'bills', code: 'PEER_REJECTED' })).body, { purged: 0 });
    assert.deepEqual((await post('/purge', { all: true })).body, { purged: 2 });
    assert.deepEqual(await left(), []);
  });

  it('refuses a mistyped or repeated condition', async () => {
    await start();
    const mistyped = await ask('GET', '?qeue=bills');
    assert.equal(mistyped.status, 400);
    assert.match(String(mistyped.body.message), /"qeue" is not a condition; known are numbers/);
    assert.equal((await ask('GET', '?queue=a&queue=b')).status, 400);
    assert.equal((await ask('GET', '?queue[$ne]=a')).status, 400);
    assert.equal((await ask('GET', '?limit=501')).status, 400);
    assert.equal((await post('/replay', { nodes: 'oven' })).status, 400);
    assert.equal((await post('/replay', '[1]')).status, 400);
  });

  it('takes nothing that a page elsewhere could send', async () => {
    await start();
    const form = 'application/x-www-form-urlencoded';
    for (const type of ['text/plain', form, 'multipart/form-data', 'text/plain; x=application/json']) {
      assert.equal(
        (await post('/purge', type === form ? 'all=true' : '{"all":true}', type)).status,
        415,
        type,
      );
    }
    const blob = await ask('POST', '/purge', { body: new Blob(['{"all":true}']) });
    assert.equal(blob.status, 415, 'no content type at all');
    assert.equal((await ask('GET', '/purge?all=true')).status, 400);
    assert.deepEqual(await left(), [1, 2, 3]);
  });

  it('refuses a huge or broken body with a sentence', async () => {
    await start();
    const huge = await post('/replay', { numbers: [1], message: 'x'.repeat(6 * 1024 * 1024) });
    assert.equal(huge.status, 413);
    assert.match(String(huge.body.message), /apiMaxLength/);
    const broken = await post('/purge', '{"all":');
    assert.equal(broken.status, 400);
    assert.match(String(broken.body.message), /cannot be read as JSON/);
    assert.deepEqual(await left(), [1, 2, 3]);
  });

  it('stays behind the permissions of Node-RED, whatever is open to probes', async () => {
    await start({ adminAuth, holdfast: { openProbe: true } });
    const as = (token: string): RequestInit => ({
      headers: {
        'content-type': 'application/json',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    const changes = [
      ['POST', '/purge', '{"all":true}'],
      ['POST', '/replay', '{"all":true}'],
      ['DELETE', '/1', undefined],
    ] as const;
    for (const token of ['', 'nobody']) {
      for (const path of ['', '/1']) assert.equal((await ask('GET', path, as(token))).status, 401);
    }
    for (const token of ['', 'nobody', 'read']) {
      for (const [method, path, body] of changes) {
        const { status } = await ask(method, path, { ...as(token), ...(body === undefined ? {} : { body }) });
        assert.equal(status, 401, `${method} ${path} as "${token}"`);
      }
    }
    assert.equal((await ask('GET', '', as('read'))).status, 200);
    assert.equal((await ask('GET', '/3', as('read'))).status, 200);
    assert.deepEqual((await ask('DELETE', '/1', as('*'))).body, { purged: 1 });
  });

  it('says so when another process holds the store', async () => {
    await start();
    await withStore(async () => {
      const refused = await ask('GET', '');
      assert.equal(refused.status, 503);
      assert.equal(refused.body.code, 'QUEUE_LOCKED');
    });
    assert.deepEqual(await left(), [1, 2, 3]);
  });
});
