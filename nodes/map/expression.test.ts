import assert from 'node:assert/strict';
import jsonata from 'jsonata';
import { isFailure, type Message } from '../../lib/core';
import { Harness } from '../../test/helpers/harness';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { Evaluator } from './evaluator';
import { compileExpression, isSimple } from './expression';
import { sizeOf } from './size';
import { mapper } from './mapper';

const simple = (text: string): boolean => isSimple(jsonata(text).ast());

function node(setting: string, more: Record<string, unknown> = {}, clock?: VirtualClock) {
  const harness = new Harness(clock ? { clock } : {});
  const rules = [{ source: '', target: 'result', transform: 'jsonata', setting, ...more }];
  const { send } = harness.mapper(mapper, { rules, ...(more['node'] as object | undefined) });
  const one = async (msg: Message): Promise<unknown> => (await send(msg))[0]?.['result'];
  return { send: one, close: () => harness.close() };
}

/** Advances the clock until the promise settles: the process lives in real time, the deadline does not. */
async function drive<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let done = false;
  const settled = promise.finally(() => {
    done = true;
  });
  settled.catch(() => {});
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1);
  }
  return settled;
}

describe('map: expressions', () => {
  it('knows which expressions cannot run away', () => {
    const fine = [
      'payload.a.b',
      'payload[0].x',
      'payload.items[id = 3].name',
      'payload.a & " " & topic',
      '$round($number(payload.t) * 1.8 + 32, 1)',
      '{"a": payload.a, "b": [payload.b, 1]}',
      'payload.a > 3 ? "high" : "low"',
      '$msg.topic',
      'payload.items.(price * quantity)',
      '$sum(payload.items.price)',
      'payload.a ?? 5',
    ];
    for (const text of fine) assert.equal(simple(text), true, text);
    const wild = [
      '/^(a+)+$/',
      '$match(payload, /a/)',
      '[1..9000000]',
      '($f := function($x){ $f($x) }; $f(1))',
      'payload.**',
      'payload.*',
      '$toMillis(payload, "[Y]")',
      '$map(payload, $string)',
      'payload^(x)',
      'payload{a: b}',
      'payload.($$.payload)',
      'payload.($msg.payload)',
      'payload[$msg.x = y]',
      'payload.[$,$].[$,$].[$,$]',
      'payload.($ & $).($ & $)',
      'payload ~> |a|{}|',
      '$eval("1")',
      '$pad("", 1000000000)',
      'payload@$p.x',
      'payload#$i',
      Array.from({ length: 200 }, (_, i) => `a${i}`).join(' + '),
    ];
    for (const text of wild) assert.equal(simple(text), false, text);
  });

  it('sizes a message up to a limit, cycles included', () => {
    const cycle: Record<string, unknown> = { a: [1, 2, 3] };
    cycle['self'] = cycle;
    assert.equal(sizeOf({ a: 1, b: [1, 2] }, 100), 5);
    assert.ok(sizeOf(cycle, 50) >= 50);
    assert.ok(sizeOf('x'.repeat(10_000), 100) >= 100);
    assert.ok(sizeOf(new Array(1_000_000).fill(0), 100) >= 100);
  });

  it('evaluates simple expressions at once and the others in a process, alike', async () => {
    for (const [setting, expected] of [
      ['payload.a + 1', 2],
      ['$map([payload.a, 5], function($x) { $x * 2 })', [2, 10]],
      ['$sum([1..10])', 55],
      ['payload.none', undefined],
    ] as const) {
      const { send, close } = node(setting);
      const result = await send({ payload: { a: 1 } });
      assert.deepEqual(
        result === undefined ? undefined : JSON.parse(JSON.stringify(result)),
        expected,
        setting,
      );
      await close();
    }
  });

  it('gives an element as input, and the message as $msg', async () => {
    for (const setting of ['$msg.topic & "/" & tag', '$join([$msg.topic, tag], "/")']) {
      const harness = new Harness();
      const rules = [{ target: 'name', transform: 'jsonata', setting }];
      const { send } = harness.mapper(mapper, { rules, each: 'elements', result: 'replace' });
      const [out] = await send({ topic: 'L', payload: [{ tag: 'a' }, { tag: 'b' }] });
      assert.deepEqual(out?.payload, [{ name: 'L/a' }, { name: 'L/b' }]);
      await harness.close();
    }
  });

  it('keeps sockets and functions out of the process and its result', async () => {
    const { send, close } = node('$merge([payload, {"f": function(){1}, "n": 1}])');
    const result = await send({ payload: { a: 1 }, req: new Set([1]), res: () => 1 });
    assert.deepEqual(JSON.parse(JSON.stringify(result)), { a: 1, n: 1 });
    await close();
  });

  it('stops what runs away at the deadline, and maps the next message', async () => {
    const clock = new VirtualClock();
    const { send, close } = node('$match(payload, /^(a+)+$/).match', { node: { timeLimit: '500ms' } }, clock);
    assert.equal(await send({ payload: 'aaa' }), 'aaa');
    await assert.rejects(drive(clock, send({ payload: 'a'.repeat(40) + '!' })), (error) => {
      assert.ok(isFailure(error));
      assert.equal(error.message, 'Rule 1 (result): the expression took longer than 500ms and was stopped.');
      return true;
    });
    assert.equal(await send({ payload: 'aa' }), 'aa');
    await close();
    assert.equal(clock.pending, 0);
  });

  it('survives an expression that eats all memory', async () => {
    const clock = new VirtualClock();
    const evaluator = new Evaluator(600_000, clock);
    const text =
      '($s := function($x, $n) { $n = 0 ? $length($x) : $s($x & $x, $n - 1) }; $s("aaaaaaaa", 25))';
    const hungry = compileExpression(text, jsonata);
    const [outcome] = await evaluator.run([{ expression: hungry, input: {} }], {});
    assert.ok(outcome && 'error' in outcome);
    assert.match(outcome.error, /more than 128 MB of memory/);
    const fine = compileExpression('$sum([1..3])', jsonata);
    assert.deepEqual(await evaluator.run([{ expression: fine, input: {} }], {}), [{ value: 6 }]);
    await evaluator.close();
  });

  it('answers in the order of the messages, and bounds how many wait', async () => {
    const evaluator = new Evaluator(1000, new VirtualClock());
    const slow = { expression: compileExpression('$sum([1..200000])', jsonata), input: {} };
    const quick = { expression: compileExpression('a', jsonata), input: { a: 1 } };
    const order: string[] = [];
    const runs = [
      evaluator.run([slow], {}).then(() => order.push('slow')),
      evaluator.run([quick], {}).then(() => order.push('quick')),
    ];
    for (let i = 0; i < 998; i += 1) runs.push(evaluator.run([quick], {}).then(() => 0));
    await assert.rejects(evaluator.run([quick], {}), /1000 messages already wait/);
    await Promise.all(runs);
    assert.deepEqual(order, ['slow', 'quick']);
    await evaluator.close();
  });

  it('ends an idle process, and a working one on close', async () => {
    const clock = new VirtualClock();
    const { send, close } = node('$sum([1..payload])', {}, clock);
    assert.equal(await send({ payload: 3 }), 6);
    assert.equal(clock.pending, 1, 'only the idle timer');
    await clock.advance(30_000);
    assert.equal(clock.pending, 0);
    assert.equal(await send({ payload: 4 }), 10);
    const stuck = node('$match(payload, /^(a+)+$/)', {}, clock);
    const waiting = assert.rejects(
      stuck.send({ payload: 'a'.repeat(40) + '!' }),
      (error) => isFailure(error) && error.kind === 'cancelled',
    );
    await stuck.close();
    await waiting;
    await close();
    assert.equal(clock.pending, 0);
  });

  it('reports what the expression itself reports', async () => {
    for (const setting of ['$number(payload)', '$number($join([payload]))']) {
      const { send, close } = node(setting);
      await assert.rejects(send({ payload: 'x' }), /Rule 1 \(result\): the expression failed: .*number: "x"/);
      await close();
    }
  });
});

describe('map: hostile expressions', () => {
  const ENDLESS: readonly (readonly [name: string, setting: string, payload: unknown])[] = [
    ['a regular expression that backtracks', '$match(payload, /^(a+)+$/)', `${'a'.repeat(40)}!`],
    ['a range of millions', '$count([1..9000000].[1..9000000])', 0],
    ['endless recursion', '($f := function($n) { 1 + $f($n + 1) }; $f(0))', 0],
    ['an endless loop by tail calls', '($f := function($n) { $f($n + 1) }; $f(0))', 0],
    [
      'a picture for $toMillis that backtracks',
      '$toMillis(payload, "[YI][MI][DI][dI][HI][mI][sI][fI]")',
      `${'I'.repeat(200)}!`,
    ],
  ];

  for (const [name, setting, payload] of ENDLESS) {
    it(`ends ${name} at the deadline, away from the flows`, async () => {
      assert.equal(simple(setting), false, 'it would run on the event loop');
      const clock = new VirtualClock();
      const evaluator = new Evaluator(500, clock);
      const job = (text: string, input: unknown) => ({ expression: compileExpression(text, jsonata), input });
      // The process starts in real time, so before the clock is driven.
      assert.deepEqual(await evaluator.run([job('$sum([1..3])', {})], {}), [{ value: 6 }]);
      const [outcome] = await drive(clock, evaluator.run([job(setting, { payload })], {}));
      assert.ok(outcome && 'error' in outcome);
      assert.match(
        outcome.error,
        /took longer than 500ms and was stopped|more than 128 MB of memory|Stack overflow/,
      );
      await evaluator.close();
      assert.equal(clock.pending, 0);
    });
  }

  it('reaches no prototype, no global and no code, here or in the process', async () => {
    const paths = [
      '__proto__',
      'constructor',
      'payload.constructor.name',
      'payload.__proto__.toString',
      '$msg.constructor',
    ];
    for (const path of paths) {
      for (const setting of [path, `$merge([{"v": ${path}}]).v`]) {
        const { send, close } = node(setting);
        assert.equal(await send({ payload: { a: 1 } }), undefined, setting);
        await close();
      }
    }
    for (const code of [
      'payload.constructor.constructor("return process")()',
      '$eval("process.exit()")',
      'process.pid',
    ]) {
      const { send, close } = node(code);
      const result = await send({ payload: { a: 1 } }).catch((error: unknown) => {
        assert.ok(isFailure(error), String(error));
      });
      assert.equal(result, undefined, code);
      await close();
    }
  });

  it('sets no prototype through keys that an expression makes', async () => {
    for (const setting of [
      '{"__proto__": {"polluted": 1}}',
      '$merge([{"__proto__": {"polluted": 1}}, payload])',
    ]) {
      const { send, close } = node(setting);
      const result = await send({ payload: JSON.parse('{"__proto__": {"polluted": 1}}') as unknown }).catch(
        () => ({}),
      );
      assert.equal(({} as { polluted?: unknown }).polluted, undefined, setting);
      assert.equal(
        Object.getPrototypeOf(Object.getPrototypeOf(result ?? {}) ?? Object.prototype),
        null,
        setting,
      );
      await close();
    }
  });

  it('calls no function that a message carries', async () => {
    let called = 0;
    for (const setting of [
      'payload.f()',
      '$msg.payload.f(1)',
      '($g := payload.f; $g())',
      '[payload.f].$()',
    ]) {
      const { send, close } = node(setting);
      await send({ payload: { f: () => (called += 1) } }).catch(() => undefined);
      await close();
    }
    assert.equal(called, 0);
  });
});
