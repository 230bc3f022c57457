import assert from 'node:assert/strict';
import { cell, columnsOf, cut, harmless, harmlessLines } from './harmless';

/** What a terminal acts on, or what hides and reorders text, each as its own code point. */
const HOSTILE = [
  '\u001b[2J\u001b]0;title\u0007', // clear the screen, set the title
  '\u009b31m\u0090q\u009c', // the same with C1 controls
  '\r\n\t\b\u007f\0',
  '\u202eevil\u2066\u200b\ufeff\u00ad',
  '\u2028\u2029',
  '\ud800 \udfff',
  '\u{e0041}\u{f0000}',
];

describe('dead letters: texts on a terminal', () => {
  it('makes everything visible that a terminal would act on', () => {
    for (const text of HOSTILE) {
      const shown = harmless(`a${text}b`);
      assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u, JSON.stringify(text));
      assert.match(shown, /^a.*\\u[0-9a-f]{4}.*b$/);
    }
  });

  it('leaves letters of every language as they are', () => {
    for (const text of ['Füllstand µ °C', '温度センサー', 'ضغط', '🔥 1/2'])
      assert.equal(harmless(text), text);
  });

  it('keeps JSON text what it is', () => {
    const value = { text: HOSTILE.join('') };
    assert.deepEqual(JSON.parse(harmlessLines(JSON.stringify(value, null, 2))), value);
  });

  it('cuts and fills by columns, not by letters', () => {
    assert.equal(cut('abcdef', 6), 'abcdef');
    assert.equal(cut('abcdefg', 6), 'abcde…');
    assert.equal(cut('温度センサー', 6), '温度…');
    assert.equal(cell('温度', 6), '温度  ');
    assert.equal(columnsOf(cell('e\u0301' + '\u0301'.repeat(500), 4)), 4);
    assert.ok(cell('e' + '\u0301'.repeat(500), 4).length < 10);
  });
});
