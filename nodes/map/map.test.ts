import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { isFailure, type Failure, type Message } from '../../lib/core';
import { Harness } from '../../test/helpers/harness';
import { mapper } from './mapper';

type Row = Record<string, string | boolean>;

const rule = (source: string, target: string, more: Row = {}): Row => ({ source, target, ...more });

async function map(raw: object, msg: Message): Promise<Message> {
  const harness = new Harness();
  try {
    const { send } = harness.mapper(mapper, raw as Record<string, unknown>);
    const [out, ...rest] = await send(msg);
    assert.ok(out && rest.length === 0);
    return out;
  } finally {
    await harness.close();
  }
}

async function failure(raw: object, msg: Message): Promise<Failure> {
  try {
    await map(raw, msg);
  } catch (error) {
    assert.ok(isFailure(error), String(error));
    return error;
  }
  throw new Error('The message was mapped.');
}

const problems = (error: Failure): string[] => error.details['problems'] as string[];

describe('map: rules', () => {
  it('extends the message or replaces it, and leaves the original alone', async () => {
    const rules = [rule('payload.t', 'payload.celsius'), rule('topic', 'meta["line name"][0]')];
    const msg = { _msgid: 'm1', topic: 'press', payload: { t: 21 }, other: true };
    const extended = await map({ rules, result: 'extend' }, msg);
    assert.deepEqual(extended, {
      _msgid: 'm1',
      topic: 'press',
      payload: { t: 21, celsius: 21 },
      other: true,
      meta: { 'line name': ['press'] },
    });
    assert.deepEqual(msg, { _msgid: 'm1', topic: 'press', payload: { t: 21 }, other: true });
    const replaced = await map({ rules, result: 'replace' }, msg);
    assert.deepEqual(replaced, { _msgid: 'm1', payload: { celsius: 21 }, meta: { 'line name': ['press'] } });
  });

  it('copies no cycle into the message when a target lies inside its source', async () => {
    const out = await map({ rules: [rule('payload', 'payload.copy')] }, { payload: { a: 1 } });
    assert.deepEqual(out.payload, { a: 1, copy: { a: 1 } });
  });

  it('converts strictly to every type', async () => {
    const cases: [string, unknown, unknown][] = [
      ['string', 5, '5'],
      ['string', true, 'true'],
      ['number', ' -1.5e3 ', -1500],
      ['number', true, 1],
      ['integer', '42', 42],
      ['boolean', 'Off', false],
      ['boolean', 1, true],
      ['date', 0, '1970-01-01T00:00:00.000Z'],
      ['date', '2026-01-01T01:00:00+01:00', '2026-01-01T00:00:00.000Z'],
      ['date', runInNewContext('new Date(0)'), '1970-01-01T00:00:00.000Z'],
      ['json', '{"a":[1]}', { a: [1] }],
      ['jsonText', { a: 1 }, '{"a":1}'],
      ['keep', 'x', 'x'],
    ];
    for (const [type, value, expected] of cases) {
      const out = await map({ rules: [rule('payload', 'payload', { type })] }, { payload: value });
      assert.deepEqual(out.payload, expected, type);
    }
    const bad: [string, unknown, RegExp][] = [
      ['number', '1,5', /"1,5" is no number/],
      ['number', '', /"" is no number/],
      ['number', NaN, /NaN is no number/],
      ['number', '0x10', /is no number/],
      ['integer', 1.5, /1\.5 is no whole number/],
      ['boolean', 'maybe', /neither true nor false/],
      ['date', 'soon', /"soon" is no date/],
      ['json', '{a}', /"\{a\}" is no JSON/],
      ['string', {}, /an object is no text/],
    ];
    for (const [type, value, sentence] of bad) {
      const error = await failure({ rules: [rule('payload', 'x', { type })] }, { payload: value });
      assert.deepEqual([error.kind, error.code], ['rejected', 'BAD_MESSAGE']);
      assert.match(error.message, sentence);
    }
  });

  it('uses defaults, leaves optional targets out, and lists every missing value at once', async () => {
    const rules = [
      rule('payload.a', 'a', { default: '7', type: 'number' }),
      rule('payload.b', 'b'),
      rule('payload.c', 'c', { required: true }),
      rule('payload.d', 'd', { required: true, type: 'number' }),
      rule('', 'constant', { default: '{"x":1}', type: 'json' }),
      rule('payload.n', 'n'),
    ];
    const out = await map({ rules, result: 'replace' }, { payload: { c: 0, d: '5', n: null } });
    assert.deepEqual(out, { a: 7, c: 0, d: 5, constant: { x: 1 }, n: null });
    const error = await failure({ rules }, { payload: { c: null, d: 'x' } });
    assert.deepEqual(problems(error), [
      'Rule 3 (payload.c → c): "payload.c" is missing, and the rule requires it.',
      'Rule 4 (payload.d → d): "x" is no number.',
    ]);
    assert.equal(error.message, `${problems(error)[0] ?? ''} (And 1 more problem.)`);
  });

  it('transforms by template, lookup, scale and unit', async () => {
    const rules = [
      rule('payload.name', 'label', {
        transform: 'template',
        setting: '<{{. | trim | uppercase}}> on {{topic}}',
      }),
      rule('payload.state', 'state', { transform: 'lookup', setting: 'state' }),
      rule('payload.odd', 'odd', { transform: 'lookup', setting: 'state' }),
      rule('payload.mA', 'level', { transform: 'scale', setting: '4..20 -> 0..100' }),
      rule('payload.raw', 'raw', { transform: 'scale', setting: '0.5, -40' }),
      rule('payload.raw', 'half', { transform: 'scale', setting: '0.5' }),
      rule('payload.f', 'c', { transform: 'unit', setting: '°F -> °C', type: 'integer' }),
    ];
    const lookups = [
      { table: 'state', key: '1', value: 'running' },
      { table: 'state', key: '*', value: 'unknown' },
    ];
    const payload = { name: ' press ', state: 1, odd: 9, mA: 12, raw: 100, f: 212 };
    const out = await map({ rules, lookups, result: 'replace' }, { topic: 'line 1', payload });
    assert.deepEqual(out, {
      label: '<PRESS> on line 1',
      state: 'running',
      odd: 'unknown',
      level: 50,
      raw: 10,
      half: 50,
      c: 100,
    });
  });

  it('maps each element of an array, and reads the message beside it', async () => {
    const rules = [
      rule('tag', 'name', { transform: 'template', setting: '{{msg.topic}}/{{tag}}' }),
      rule('value', 'value', { type: 'number', required: true }),
      rule('msg.topic', 'line'),
    ];
    const msg = {
      topic: 'L1',
      payload: [
        { tag: 'a', value: '1', unit: 'K' },
        { tag: 'b', value: 2 },
      ],
    };
    const extended = await map({ each: 'elements', rules }, msg);
    assert.deepEqual(extended.payload, [
      { tag: 'a', value: 1, unit: 'K', name: 'L1/a', line: 'L1' },
      { tag: 'b', value: 2, name: 'L1/b', line: 'L1' },
    ]);
    const replaced = await map({ each: 'elements', rules, result: 'replace' }, msg);
    assert.deepEqual(replaced, {
      topic: 'L1',
      payload: [
        { name: 'L1/a', value: 1, line: 'L1' },
        { name: 'L1/b', value: 2, line: 'L1' },
      ],
    });
    const error = await failure(
      { each: 'elements', rules },
      { payload: [{ tag: 'a', value: 1 }, {}, 'text'] },
    );
    assert.deepEqual(problems(error), [
      'Element 1, rule 2 (value → value): "value" is missing, and the rule requires it.',
      'Element 2, the element is no object, so it cannot be extended.',
    ]);
    const none = await failure({ each: 'elements', rules }, { payload: {} });
    assert.equal(none.message, 'msg.payload is no array, but the node maps each element of one.');
  });

  it('says when a target lies inside a value that cannot hold it', async () => {
    const error = await failure(
      { rules: [rule('topic', 'payload.a.b')] },
      { topic: 't', payload: { a: 'text' } },
    );
    assert.match(error.message, /payload\.a holds "text", so nothing can be set inside it/);
  });

  it('names every wrong row of the settings at once', () => {
    const rules = [
      rule('payload..x', 'a'),
      rule('payload', 'constructor.prototype.x'),
      rule('payload', 'b', { transform: 'jsonata', setting: 'a +' }),
      rule('payload', 'c', { transform: 'template', setting: '{{#a}}' }),
      rule('payload', 'd', { transform: 'unit', setting: 'bar -> °C' }),
      rule('payload', 'e', { transform: 'scale', setting: 'much' }),
      rule('payload', 'f', { transform: 'lookup', setting: 'none' }),
      rule('payload', 'g', { type: 'number', default: 'x' }),
      rule('', 'h'),
      rule('payload', 'i', { transform: 'template' }),
      rule('payload', 'ok'),
    ];
    const harness = new Harness();
    assert.throws(
      () => harness.mapper(mapper, { rules }),
      (error) => {
        assert.ok(isFailure(error));
        assert.equal(error.kind, 'config');
        assert.equal(problems(error).length, 10);
        [
          /^Rules, row 1 \(a\): The path "payload\.\.x" is not a property path/,
          /^Rules, row 2 .*would reach a prototype/,
          /^Rules, row 3 \(b\): .*expression/i,
          /^Rules, row 4 \(c\): the template is wrong: Unclosed section "a"/,
          /^Rules, row 5 \(d\): "bar" is a unit of pressure, "°C" of temperature/,
          /^Rules, row 6 \(e\): "much" is no scale/,
          /^Rules, row 7 \(f\): "none" is no lookup table; there is none/,
          /^Rules, row 8 \(g\): "x" is no number/,
          /^Rules, row 9 \(h\): the source is empty/,
          /^Rules, row 10 \(i\): the transform "template" needs a setting/,
        ].forEach((sentence, i) => assert.match(problems(error)[i] ?? '', sentence));
        return true;
      },
    );
  });

  it('pollutes no prototype, whatever the message holds', async () => {
    const payload = JSON.parse('{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":2}}}') as object;
    const rules = [
      rule('payload', 'copy'),
      rule('payload.a', 'copy.inner'),
      rule('payload', 'payload.text', {
        transform: 'template',
        setting: '{{polluted}}{{toString}}{{constructors}}',
      }),
      rule('payload', 'payload.expression', { transform: 'jsonata', setting: 'polluted' }),
    ];
    const out = await map({ rules }, { payload });
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    assert.equal((out.payload as Record<string, unknown>)['text'], '');
    assert.equal((out.payload as Record<string, unknown>)['polluted'], undefined);
    assert.equal((out['copy'] as Record<string, unknown>)['polluted'], undefined);
  });
});

describe('map: templates of the whole', () => {
  it('fills text without escaping, with sections', async () => {
    const textTemplate =
      '{{#payload.rows}}{{id}}={{v | round 1 | default "-"}}<{{msg.topic}}>;{{/payload.rows}}{{^none}}!{{/none}}';
    const msg = { topic: 'a&b', payload: { rows: [{ id: 1, v: 1.26 }, { id: 2 }] } };
    const out = await map({ mode: 'text', textTemplate }, msg);
    assert.equal(out.payload, '1=1.3<a&b>;2=-<a&b>;!');
    assert.equal(out.topic, 'a&b');
  });

  it('fills objects and keeps the type of single tags', async () => {
    const objectTemplate = JSON.stringify({
      id: '{{payload.id}}',
      name: 'Nr. {{payload.id}}',
      list: ['{{payload.list}}', '{{payload.none}}', 1],
      gone: '{{payload.none}}',
      when: '{{payload.at | iso}}',
      json: '{{payload.list | json}}',
    });
    const msg = { _msgid: 'm', topic: 't', payload: { id: 7, list: [1, 2], at: 0 } };
    const expected = {
      id: 7,
      name: 'Nr. 7',
      list: [[1, 2], null, 1],
      when: '1970-01-01T00:00:00.000Z',
      json: '[1,2]',
    };
    const out = await map({ mode: 'object', objectTemplate, target: 'result.a' }, msg);
    assert.deepEqual(out['result'], { a: expected });
    assert.deepEqual(out.payload, msg.payload);
    const whole = await map({ mode: 'object', objectTemplate, target: '', result: 'replace' }, msg);
    assert.deepEqual(whole, { _msgid: 'm', ...expected });
  });

  it('maps each element into an array', async () => {
    const raw = { mode: 'text', each: 'elements', textTemplate: '{{tag}}@{{topic}}', target: 'lines' };
    const out = await map(raw, { topic: 'x', payload: [{ tag: 'a' }, { tag: 'b' }] });
    assert.deepEqual(out['lines'], ['a@x', 'b@x']);
  });

  it('refuses partials, delimiters, unknown filters and prototype paths', () => {
    const wrong: [string, RegExp][] = [
      ['{{> ../../etc/passwd}}', /there are no partials/],
      ['{{=<% %>=}}<% payload %>', /changes its delimiters/],
      ['{{payload | shell}}', /"shell" is no filter; there are uppercase, lowercase/],
      ['{{payload.__proto__.x}}', /would reach a prototype/],
      ['{{constructor}}', /would reach a prototype/],
      ['{{payload | round x}}', /the filter "round" needs 0 to 15 digits/],
      ['{{#payload | trim}}{{/payload | trim}}', /cannot have filters/],
    ];
    for (const [textTemplate, sentence] of wrong) {
      const harness = new Harness();
      assert.throws(() => harness.mapper(mapper, { mode: 'text', textTemplate }), sentence, textTemplate);
    }
    const harness = new Harness();
    const objectTemplate = '{"a":{"__proto__":{"x":"{{payload}}"}}}';
    assert.throws(
      () => harness.mapper(mapper, { mode: 'object', objectTemplate }),
      /would reach a prototype/,
    );
    assert.throws(
      () => harness.mapper(mapper, { mode: 'object', objectTemplate: '{' }),
      /Object template: this is no JSON/,
    );
  });

  it('calls no function and ends a template that multiplies', async () => {
    let called = 0;
    const payload = { fn: () => (called += 1), many: Array.from({ length: 1000 }, (_, i) => i) };
    const text = { mode: 'text', textTemplate: '{{payload.fn}}{{#payload.fn}}x{{/payload.fn}}' };
    assert.equal((await map(text, { payload })).payload, '');
    assert.equal(called, 0);
    const bomb = '{{#payload.many}}{{#payload.many}}{{.}}{{/payload.many}}{{/payload.many}}';
    const error = await failure({ mode: 'text', textTemplate: bomb }, { payload });
    assert.match(error.message, /the template repeats too often/);
    const flood = '{{#payload.many}}{{payload.long}}{{/payload.many}}';
    const tooLong = await failure(
      { mode: 'text', textTemplate: flood },
      { payload: { ...payload, long: 'x'.repeat(100_000) } },
    );
    assert.match(tooLong.message, /the filled template is too long/);
  });
});
