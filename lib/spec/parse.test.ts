import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  bool,
  choice,
  duration,
  int,
  list,
  number,
  parse,
  ref,
  secret,
  table,
  text,
  typed,
  type Fields,
} from './index';

const fields = {
  host: text({ label: 'Host', help: 'Where.', default: '' }),
  port: int({ label: 'Port', help: 'Which.', default: 502, min: 1, max: 65535 }),
  gain: number({ label: 'Gain', help: 'How much.', default: 1, min: 0 }),
  rest: int({ label: 'Rest', help: 'Perhaps.', default: undefined, optional: true }),
  on: bool({ label: 'On', help: 'Whether.', default: false }),
  mode: choice({ label: 'Mode', help: 'How.', default: 'a', options: { a: 'A', b: 'B' } }),
  onlyB: text({ label: 'Only B', help: 'For b.', default: '', showWhen: { mode: ['b'] } }),
  below: int({ label: 'Below', help: 'Below.', default: 3, showWhen: { onlyB: ['x'] } }),
  wait: duration({ label: 'Wait', help: 'How long.', default: '5s', min: '1s', max: '1h' }),
  body: typed({
    label: 'Body',
    help: 'What.',
    default: { type: 'msg', value: 'payload' },
    types: ['msg', 'num', 'json', 'str'],
  }),
  link: ref({ label: 'Link', help: 'Which.', to: 'holdfast-x-connection' }),
  names: list({ label: 'Names', help: 'Which.', default: [], optional: true, maxItems: 3 }),
  key: secret({ label: 'Key', help: 'Secret.', optional: true }),
  tags: table({
    label: 'Tags',
    help: 'Which.',
    default: [],
    unique: ['name'],
    columns: {
      name: text({ label: 'Name', help: 'N.', default: '' }),
      address: int({ label: 'Address', help: 'A.', default: 0, min: 0, max: 10 }),
    },
  }),
} satisfies Fields;

const good = { host: 'plc', link: 'id1', wait: '90s' };

function problems(raw: object, secrets: object = {}): string[] {
  const parsed = parse(fields, { ...good, ...raw }, secrets);
  return parsed.ok ? [] : parsed.problems.map((one) => one.message);
}

describe('parse', () => {
  it('fills defaults and turns strings into values', () => {
    const parsed = parse(
      fields,
      { ...good, port: '503', on: 'true', tags: [{ name: 'T', address: '4' }] },
      { key: 's' },
    );
    assert.ok(parsed.ok);
    assert.equal(parsed.values.port, 503);
    assert.equal(parsed.values.on, true);
    assert.equal(parsed.values.wait, 90_000);
    assert.equal(parsed.values.rest, undefined);
    assert.equal(parsed.values.key, 's');
    assert.deepEqual(parsed.values.body, { type: 'msg', value: 'payload' });
    assert.deepEqual(parsed.values.tags, [{ name: 'T', address: 4 }]);
  });

  it('reports every problem at once, named by label', () => {
    const found = problems({ host: '', port: '70000', gain: 'much', wait: '2', mode: 'c', link: '_ADD_' });
    assert.deepEqual(found, [
      'Host is empty; enter a value.',
      'Port must be at most 65535, not 70000.',
      'Gain must be a number, not "much".',
      'Mode must be one of a, b, not "c".',
      'Wait must be a duration such as 250ms, 30s or 5m, not "2".',
      'Link is not set; choose one or add a new one.',
    ]);
  });

  it('keeps bounds in the words of the form', () => {
    assert.deepEqual(problems({ wait: '10ms' }), ['Wait must be at least 1s, not 10ms.']);
    assert.deepEqual(problems({ port: 1.5 }), ['Port must be a whole number, not "1.5".']);
  });

  it('does not check what the form hides, nor what depends on it', () => {
    assert.deepEqual(problems({ mode: 'a', onlyB: '', below: 'nonsense' }), []);
    assert.deepEqual(problems({ mode: 'b', onlyB: '' }), ['Only B is empty; enter a value.']);
    assert.deepEqual(problems({ mode: 'b', onlyB: 'x', below: 'nonsense' }), [
      'Below must be a number, not "nonsense".',
    ]);
  });

  it('names row and column of a table, and rows that repeat', () => {
    assert.deepEqual(problems({ tags: [{ name: '', address: 1 }, 7, { name: 'x', address: 11 }] }), [
      'Tags, row 1, Name is empty; enter a value.',
      'Tags, row 2 is not a table row.',
      'Tags, row 3, Address must be at most 10, not 11.',
    ]);
    assert.deepEqual(problems({ tags: [{ name: 'x' }, { name: 'x' }] }), ['Tags, row 2 repeats Name "x".']);
  });

  it('checks typed inputs by their type', () => {
    assert.deepEqual(problems({ body: '{', bodyType: 'json' }).length, 1);
    assert.deepEqual(problems({ body: 'x', bodyType: 'num' }), ['Body must be a number, not "x".']);
    assert.deepEqual(problems({ body: 'x', bodyType: 'flow' }), [
      'Body has the type "flow"; it must be one of msg, num, json, str.',
    ]);
  });

  it('bounds lists', () => {
    assert.deepEqual(problems({ names: ['a', 'b', 'c', 'd'] }), [
      'Names has 4 entries; at most 3 are allowed.',
    ]);
  });

  it('reads secrets from the credentials only', () => {
    const parsed = parse(fields, { ...good, key: 'from the flow file' }, {});
    assert.ok(parsed.ok);
    assert.equal(parsed.values.key, '');
  });

  it('never throws and never reaches a prototype, whatever a flow file holds', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(fields), '__proto__'), fc.anything()),
        (raw) => {
          const parsed = parse(fields, raw, raw);
          if (!parsed.ok)
            assert.ok(parsed.problems.every((one) => one.message.length > 0 && one.message.length < 2000));
        },
      ),
      { numRuns: 500 },
    );
    for (const raw of [undefined, null, 1, 'x', []]) parse(fields, raw, raw);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

describe('optionalWhen', () => {
  const relaxed = {
    simulate: bool({ label: 'Simulate', help: 'Whether.', default: false }),
    host: text({ label: 'Host', help: 'Where.', default: '', optionalWhen: { simulate: [true] } }),
    port: int({ label: 'Port', help: 'Which.', default: 502, optionalWhen: { simulate: [true] } }),
  } satisfies Fields;

  it('lets an input stay empty, which then takes its default', () => {
    const parsed = parse(relaxed, { simulate: true, host: '', port: '' });
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.values, { simulate: true, host: '', port: 502 });
    assert.equal(parse(relaxed, { simulate: false, host: '' }).ok, false);
  });

  it('still refuses what is wrong', () => {
    assert.equal(parse(relaxed, { simulate: true, port: 'x' }).ok, false);
  });
});

describe('conditions over odd values', () => {
  const fields = {
    mode: choice({ label: 'Mode', help: 'x.', default: 'a', options: { a: 'A', b: 'B' } }),
    size: int({ label: 'Size', help: 'x.', default: 1, min: 0, showWhen: { mode: ['b'] } }),
  };

  it('do not throw on values that have no text', () => {
    for (const odd of [{ toString: 1 }, [{ toString: 1 }], [['b']]]) {
      const parsed = parse(fields, { mode: odd, size: -1 });
      assert.ok(!parsed.ok);
      assert.deepEqual(
        parsed.problems.map((one) => one.field),
        ['mode'],
      );
    }
  });
});
