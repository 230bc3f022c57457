/** Messages as Node-RED passes them: plain objects with a payload and anything else. */
export interface Message {
  _msgid?: string;
  topic?: unknown;
  payload?: unknown;
  [property: string]: unknown;
}

/** Where a value came from and how; stands in `msg.provenance`. Times are ISO 8601 UTC. */
export interface Provenance {
  connector: string;
  connectorVersion: number;
  connection: string;
  operation: string;
  /** SHA-256 of the canonical request (query, address list), hex. */
  queryHash: string;
  /** SHA-256 of the RFC 8785 canonical JSON of the payload, hex; null where the payload is not JSON. */
  payloadHash: string | null;
  startedAt: string;
  finishedAt: string;
  attempts: number;
  source: 'live' | 'simulated';
}
