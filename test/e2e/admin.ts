/** Node-RED's admin interface as the editor uses it: HTTP for commands, the /comms websocket for what happens. */
import type { FlowNode } from '../../lib/headless';

export interface NodeSet {
  readonly id: string;
  readonly module: string;
  readonly enabled: boolean;
  readonly types: readonly string[];
  readonly err?: unknown;
}
export interface DebugMessage {
  readonly id: string;
  readonly level: number | undefined;
  readonly text: string;
}
interface Shown {
  readonly fill?: string;
  readonly text?: string;
}

export class Admin {
  readonly debug: DebugMessage[] = [];
  readonly statuses = new Map<string, Shown>();
  readonly #url: string;
  readonly #socket: WebSocket;
  /** Revision of the flows that run. */
  #running = '';
  #wake: () => void = () => {};

  private constructor(url: string, socket: WebSocket) {
    this.#url = url;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#hear(String(data)));
  }

  static async connect(url: string): Promise<Admin> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/comms`);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      const refused = (): void => reject(new Error(`${url}/comms does not answer.`));
      socket.addEventListener('error', refused, { once: true });
    });
    const admin = new Admin(url, socket);
    socket.send(JSON.stringify({ subscribe: 'status/#' }));
    socket.send(JSON.stringify({ subscribe: 'debug' }));
    return admin;
  }

  async nodes(): Promise<readonly NodeSet[]> {
    return (await this.#ask('GET', '/nodes')).json() as Promise<NodeSet[]>;
  }

  async health(): Promise<{ readonly status: string; readonly connections: readonly unknown[] }> {
    return (await this.#ask('GET', '/holdfast/health')).json() as Promise<never>;
  }

  /** Replaces all flows; what was heard before is forgotten. */
  async deploy(flows: readonly FlowNode[]): Promise<void> {
    this.debug.length = 0;
    this.statuses.clear();
    const response = await this.#ask('POST', '/flows', { flows }, { 'Node-RED-Deployment-Type': 'full' });
    if (response.status !== 200) throw new Error(`Deploying failed: ${await response.text()}`);
    // The answer comes before the new flows run.
    const { rev } = (await response.json()) as { rev: string };
    await this.until('the start of the flows', () => this.#running === rev);
  }

  async inject(id: string): Promise<void> {
    const response = await this.#ask('POST', `/inject/${id}`, {});
    if (!response.ok) throw new Error(`Injecting ${id} failed with ${response.status}.`);
  }

  /** Resolves when the condition holds; asked again after every event. */
  async until(what: string, holds: () => boolean, limitMs = 60_000): Promise<void> {
    const end = performance.now() + limitMs;
    while (!holds()) {
      if (performance.now() > end)
        throw new Error(`Not seen within ${limitMs} ms: ${what}.\n${this.#report()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        ...(path === '/flows' ? { 'Node-RED-API-Version': 'v2' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  #hear(data: string): void {
    const parsed = JSON.parse(data) as unknown;
    for (const one of Array.isArray(parsed) ? parsed : [parsed]) {
      const { topic, data: told } = one as { topic?: string; data?: unknown };
      if (topic?.startsWith('status/') === true) this.statuses.set(topic.slice(7), told ?? {});
      if (topic === 'notification/runtime-deploy') this.#running = (told as { revision: string }).revision;
      if (topic === 'debug') {
        const { id = '', level, msg } = told as { id?: string; level?: number; msg?: unknown };
        this.debug.push({ id, level, text: typeof msg === 'string' ? msg : JSON.stringify(msg) });
      }
    }
    this.#wake();
  }

  #report(): string {
    const shown = [...this.statuses].map(([id, { fill, text }]) => `  ${id}: ${fill} ${text}`);
    return [...shown, ...this.debug.slice(-5).map(({ id, text }) => `  ${id}: ${text.slice(0, 300)}`)].join(
      '\n',
    );
  }
}
