import type { Provenance } from '../core';
import { payloadHash, sha256 } from './hash';

export interface ProvenanceFacts {
  /** Node type of the connector: holdfast-modbus-connection. */
  readonly connector: string;
  readonly connectorVersion: number;
  /** The name of the connection, or its id when it has none. */
  readonly connection: string;
  readonly operation: string;
  /** What was asked: query, address list, parameters. Hashed, never stored. */
  readonly query: unknown;
  /** What goes out; hashed. */
  readonly payload: unknown;
  /** Wall clock, milliseconds since 1970 UTC. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly attempts: number;
  readonly simulated: boolean;
}

/** What stands in `msg.provenance`. A query that is not JSON is represented by the operation's name. */
export function createProvenance(facts: ProvenanceFacts): Provenance {
  return {
    connector: facts.connector,
    connectorVersion: facts.connectorVersion,
    connection: facts.connection,
    operation: facts.operation,
    queryHash: payloadHash(facts.query) ?? sha256(facts.operation),
    payloadHash: payloadHash(facts.payload),
    startedAt: new Date(facts.startedAt).toISOString(),
    finishedAt: new Date(facts.finishedAt).toISOString(),
    attempts: facts.attempts,
    source: facts.simulated ? 'simulated' : 'live',
  };
}
