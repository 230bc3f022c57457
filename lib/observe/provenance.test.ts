import assert from 'node:assert/strict';
import { sha256 } from './hash';
import { createProvenance, type ProvenanceFacts } from './provenance';

const FACTS: ProvenanceFacts = {
  connector: 'holdfast-sql-connection',
  connectorVersion: 2,
  connection: 'Historian',
  operation: 'query',
  query: { text: 'select 1', values: [1] },
  payload: [{ b: 1, a: 2 }],
  startedAt: 0,
  finishedAt: 1500,
  attempts: 2,
  simulated: false,
};

describe('observe: provenance', () => {
  it('holds hashes of query and payload, times in UTC and the source', () => {
    assert.deepEqual(createProvenance(FACTS), {
      connector: 'holdfast-sql-connection',
      connectorVersion: 2,
      connection: 'Historian',
      operation: 'query',
      queryHash: sha256('{"text":"select 1","values":[1]}'),
      payloadHash: sha256('[{"a":2,"b":1}]'),
      startedAt: '1970-01-01T00:00:00.000Z',
      finishedAt: '1970-01-01T00:00:01.500Z',
      attempts: 2,
      source: 'live',
    });
  });

  it('has no payload hash for binary data, and always a query hash', () => {
    const { payloadHash, queryHash, source } = createProvenance({
      ...FACTS,
      payload: Buffer.from('x'),
      query: 1n,
      simulated: true,
    });
    assert.deepEqual([payloadHash, queryHash, source], [null, sha256('query'), 'simulated']);
  });
});
