/**
 * What a system may tell the contract suites in `nodes/<x>/contract.ts` (`export const contract: Contract`).
 * Everything is optional: what is not said is taken from the declarations and from `example.json`.
 */
import type { Message } from '../../lib/core';
import type { RawConfig } from '../../lib/spec';
import type { ServiceName } from '../helpers/services';

/** The faults of test/faults that the suites put before every simulator. */
export const FAULT_NAMES = [
  'refused',
  'reset',
  'cut',
  'halfOpen',
  'slow',
  'sliced',
  'garbage',
  'blackHole',
  'wrongTlsHost',
  'authRefused',
  'peerRestarted',
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

/** Where a connection has to go: the fault proxy, or a peer made by a hook. */
export interface Peer {
  readonly host: string;
  readonly port: number;
}
export interface RunningPeer extends Peer {
  close(): Promise<void>;
}

/** One use of one node type. */
export interface Sample {
  /** For the title of the test: "insert", "write coil". */
  readonly name: string;
  /** Settings as Node-RED stores them, without the connection's id; merged over the declaration's defaults. */
  readonly config?: RawConfig;
  readonly credentials?: Readonly<Record<string, string>>;
  /** Sent into the node's input; a fresh copy each time. Default: `{ payload: 'sample' }`. */
  readonly msg?: Message;
}

export interface Contract {
  /**
   * Raw settings of the connection that lead to `peer`. Default: what `connector.simulator.apply` changes in
   * the declaration's defaults when the simulator stands at `peer`.
   */
  connection?(peer: Peer): RawConfig;
  /**
   * A real server to stand behind the fault proxy, for a system whose simulator is reached without a socket.
   * The faults of the network are then tested where this service is reachable.
   */
  readonly server?: { readonly service: ServiceName; readonly peer: Peer };
  /** More credentials for the connection. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** Samples by node type. Default: the nodes of `example.json`, with the messages of the injects before them. */
  readonly samples?: Readonly<Record<string, readonly Sample[]>>;
  /** A connection that speaks TLS to `peer`, whose certificate is issued by `ca` (PEM). */
  tlsConnection?(peer: Peer, ca: string): RawConfig;
  /** A peer that refuses every credential in the way of its protocol. */
  authRefused?(): Promise<RunningPeer>;
  /** Faults that the transport of this system cannot meet, each with the reason. */
  readonly without?: Readonly<Partial<Record<FaultName, string>>>;
  /**
   * Faults of this system's own (a locked file, a lost directory): each begins and returns how it ends.
   * `sample` is what is sent meanwhile; `outcome` what must become of it.
   */
  readonly own?: readonly OwnFault[];
  /** Removes what the samples left behind in `server`. */
  cleanUp?(): Promise<void>;
}
export interface OwnFault {
  readonly name: string;
  readonly sample: Sample;
  /** A folder of this test's own for files. Returns the connection's settings and the switches. */
  prepare(directory: string): Promise<{
    readonly connection: RawConfig;
    begin(): Promise<void>;
    end(): Promise<void>;
    close?(): Promise<void>;
  }>;
}
