import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isFailure, type Message } from '../../lib/core';
import { Harness } from '../../test/helpers/harness';
import { convert, TYPES } from './convert';
import { mapper } from './mapper';
import { Trouble } from './trouble';

const SEED = 20_260_101;
const anything = fc.anything({
  withDate: true,
  withBigInt: true,
  withNullPrototype: true,
  withTypedArray: true,
});

describe('map: any message', () => {
  it('is mapped or refused with a sentence, never changed and never an accident', async () => {
    const rules = [
      { source: 'payload', target: 'payload.copy', required: true },
      { source: 'payload.a', target: 'b.c[2]', type: 'number', default: '3' },
      { source: 'payload', target: 'json', type: 'jsonText' },
      {
        source: 'payload.a',
        target: 'text',
        transform: 'template',
        setting: '{{. | trim}}{{#payload}}{{.}}{{/payload}}',
      },
      { source: '', target: 'sum', transform: 'jsonata', setting: '$count(payload) + 1' },
    ];
    const harness = new Harness();
    const nodes = [
      harness.mapper(mapper, { rules }),
      harness.mapper(mapper, { rules: rules.slice(0, 4), each: 'elements', result: 'replace' }),
      harness.mapper(mapper, {
        mode: 'object',
        objectTemplate: '{"a":"{{payload}}","b":["{{payload.a | json}}"]}',
        target: '',
      }),
    ];
    await fc.assert(
      fc.asyncProperty(anything, fc.constantFrom(...nodes), async (payload, { send }) => {
        const msg: Message = { _msgid: 'm', payload };
        try {
          const [out] = await send(msg);
          assert.equal(out?._msgid, 'm');
        } catch (error) {
          assert.ok(isFailure(error), String(error));
          assert.deepEqual([error.kind, error.code], ['rejected', 'BAD_MESSAGE']);
          assert.match(error.message, /^[A-Zm].*[.)]$/s);
        }
        assert.equal(msg.payload, payload);
        assert.equal(({} as { polluted?: unknown }).polluted, undefined);
      }),
      { seed: SEED, numRuns: 500 },
    );
    await harness.close();
  });

  it('is converted to exactly the type, or not at all', () => {
    const is: Record<(typeof TYPES)[number], (value: unknown) => boolean> = {
      keep: () => true,
      string: (value) => typeof value === 'string',
      number: (value) => Number.isFinite(value),
      integer: (value) => Number.isSafeInteger(value),
      boolean: (value) => typeof value === 'boolean',
      date: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
      json: () => true,
      jsonText: (value) => typeof value === 'string',
    };
    fc.assert(
      fc.property(fc.oneof(anything, fc.string(), fc.double()), fc.constantFrom(...TYPES), (value, type) => {
        if (value === undefined || value === null) return;
        try {
          assert.ok(is[type](convert(value, type)));
        } catch (error) {
          assert.ok(error instanceof Trouble, String(error));
        }
      }),
      { seed: SEED, numRuns: 3000 },
    );
  });
});
