/** Servers that send one byte after another for ever: the timeout of the call ends them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Timer } from '../../lib/core';
import { client, type Client } from '../../test/helpers/http-peer';
import { VirtualClock } from '../../test/helpers/virtual-clock';

const HEAD = 'HTTP/1.1 200 OK\r\n';
const TIMEOUT_MS = 5000;
const DRIP_MS = 500;

/** Answers every request with `head`, and then with one byte every DRIP_MS of its clock. */
class Dripper {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  /** Bytes after the head, of all connections. */
  drops = 0;
  requests = 0;

  constructor(clock: VirtualClock, head: string) {
    this.#server = createServer((socket) => {
      let timer: Timer | undefined;
      const drip = (): void => {
        this.drops += 1;
        socket.write('a');
        timer = clock.timer(DRIP_MS, drip);
      };
      this.#sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => {});
      socket.once('close', () => {
        timer?.cancel();
        this.#sockets.delete(socket);
        this.#server.emit('left');
      });
      socket.once('data', () => {
        this.requests += 1;
        socket.write(head);
        timer = clock.timer(DRIP_MS, drip);
        this.#server.emit('asked');
      });
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  async start(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }

  async asked(): Promise<void> {
    if (this.requests === 0) await once(this.#server, 'asked');
  }

  /** Resolves when no client is left. */
  async left(): Promise<void> {
    while (this.open > 0) await once(this.#server, 'left');
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

describe('http: a server that drips', () => {
  let clock: VirtualClock;
  let dripper: Dripper;
  let http: Client;
  const use = async (head: string, node: Record<string, unknown> = {}): Promise<void> => {
    dripper = await new Dripper(clock, head).start();
    http = client({ baseUrl: dripper.origin }, { path: '/', timeout: '5s', ...node }, {}, clock);
  };

  beforeEach(() => {
    clock = new VirtualClock();
  });
  afterEach(async () => {
    const closing = http.close();
    await clock.advance(60_000);
    await closing;
    await dripper.close();
    assert.equal(clock.pending, 0, 'a timer is left');
  });

  it('arrives whole in chunks of one byte', async () => {
    await use(`${HEAD}transfer-encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(30_000)}0\r\n\r\n`, {
      response: 'buffer',
    });
    const pending = http.send({});
    await dripper.asked();
    const { payload } = await pending;
    assert.ok(Buffer.isBuffer(payload) && payload.equals(Buffer.alloc(30_000, 'a')));
  });

  for (const [what, head] of [
    ['its body', `${HEAD}content-type: text/plain\r\n\r\n`],
    ['a body of announced length', `${HEAD}content-length: 1000000000\r\n\r\n`],
    ['its header', `${HEAD}x-drip: `],
    ['its status line', 'HTTP/1.1 200 '],
  ] as const) {
    it(`${what}: the call times out, and the socket closes`, async () => {
      await use(head);
      let ended = false;
      const pending = assert
        .rejects(http.send({}), { code: 'CALL_TIMEOUT', kind: 'transient' })
        .finally(() => (ended = true));
      await dripper.asked();
      await clock.advance(TIMEOUT_MS - DRIP_MS);
      assert.equal(ended, false);
      assert.ok(dripper.drops >= 5, `${dripper.drops} drops`);
      await clock.advance(2 * DRIP_MS);
      await pending;
      await dripper.left();
      const { drops } = dripper;
      await clock.advance(TIMEOUT_MS);
      assert.equal(dripper.drops, drops);
      assert.equal(dripper.requests, 1);
    });
  }
});
