/** All systems in one set of flows, on their own simulators: for tests of the whole life cycle. */
import type { FlowCredentials, FlowNode, Headless } from '../../lib/headless';
import { allStations, isGood } from './rig';
import { connectionBase, samplesOf, type NodeSample } from './samples';
import type { System } from './systems';

interface Place {
  readonly id: string;
  readonly sample: NodeSample;
  readonly kind: 'adapter' | 'trigger' | 'other';
  readonly link: string | undefined;
}

export class Plant {
  readonly places: readonly Place[];
  readonly credentials: FlowCredentials;
  readonly #connections: readonly FlowNode[];
  readonly sent = new Map<string, string>();
  #round = 0;

  constructor(systems: readonly System[]) {
    this.places = systems.flatMap(placesOf);
    this.#connections = systems.flatMap((system) => {
      const { link } = system;
      if (!link) return [];
      const config = { ...connectionBase(system, link), simulate: true };
      return [{ ...config, id: `${system.name}-link`, type: link.type }];
    });
    this.credentials = Object.fromEntries(
      this.places.map(({ id, sample }) => [id, sample.credentials ?? {}]),
    );
  }

  /** A new version of all flows: every node's name changes. */
  flows(): FlowNode[] {
    this.#round += 1;
    const name = `round ${this.#round}`;
    return [
      { id: 'tab', type: 'tab', label: name },
      { id: 'caught', type: 'catch', z: 'tab', scope: null, wires: [[]] },
      ...this.#connections.map((node) => ({ ...node, name: `${name} ${node.id}` })),
      ...this.places.flatMap(({ id, sample, link }): FlowNode[] => [
        {
          ...sample.config,
          ...(link === undefined ? {} : { connection: link }),
          id,
          type: sample.type,
          name,
          z: 'tab',
          wires: [[`${id}-out`]],
        },
        { id: `${id}-out`, type: 'debug', z: 'tab', active: false, wires: [] },
      ]),
    ];
  }

  /** Puts a message into every adapter. Returns the ids. */
  send(red: Headless): readonly string[] {
    return this.places.filter((place) => place.kind === 'adapter').map((place) => this.#sendTo(red, place));
  }

  #sendTo(red: Headless, { id, sample }: Place): string {
    const msgid = `p${this.sent.size + 1}`;
    this.sent.set(msgid, id);
    red.receive(id, { ...structuredClone(sample.msg), _msgid: msgid });
    return msgid;
  }

  /** How often each message that was sent is done. */
  timesDone(red: Headless): ReadonlyMap<string, number> {
    const times = new Map([...this.sent.keys()].map((msgid) => [msgid, 0]));
    for (const { id, msg } of red.record.completions) {
      const msgid = String(msg._msgid);
      if (this.sent.get(msgid) === id) times.set(msgid, (times.get(msgid) ?? 0) + 1);
    }
    return times;
  }

  /** Sends to every adapter until a message succeeds there. */
  async works(red: Headless, wait: (ms: number) => Promise<void>): Promise<void> {
    const adapters = this.places.filter((place) => place.kind === 'adapter');
    await Promise.all(
      adapters.map(async (place) => {
        for (let tries = 0; ; tries += 1) {
          const msgid = this.#sendTo(red, place);
          const done = await red.record.until(`done at ${place.id}`, () =>
            red.record.completions.find((one) => one.id === place.id && one.msg._msgid === msgid),
          );
          if (isGood(done)) return;
          if (tries > 100) throw new Error(`${place.id} does not work: ${String(done.error)}`);
          await wait(100);
        }
      }),
    );
  }
}

function placesOf(system: System): readonly Place[] {
  const linked = allStations(system).map(({ sample, role }) => ({
    sample,
    kind: role,
    link: `${system.name}-link`,
  }));
  const others = system.declarations
    .filter(
      (one) => one.role === 'mapper' || one.role === 'monitor' || (one.role === 'trigger' && !one.connector),
    )
    .flatMap((declaration) => samplesOf(system, declaration))
    .map((sample) => ({ sample, kind: 'other' as const, link: undefined }));
  return [...linked, ...others].map((place, i) => ({ ...place, id: `${system.name}-${i}` }));
}
