/** The words of every declaration: what a plant engineer reads in forms, help and errors. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CODES } from '../lib/core';
import { PROBLEM_TEXTS, readField, type Field } from '../lib/spec';
import { compiled } from './build/compiled';
import { filesBelow } from './build/output';

const ROOT = join(__dirname, '..');

interface Place {
  readonly where: string;
  readonly field: Field;
}

describe('texts of the declarations', () => {
  const { components, broken } = compiled(ROOT);
  const fields: readonly Place[] = components.flatMap(({ type, fields: all }) =>
    Object.entries(all).flatMap(([name, field]) => [
      { where: `${type}.${name}`, field },
      ...(field.kind === 'table'
        ? Object.entries(field.columns).map(([column, cell]) => ({
            where: `${type}.${name}.${column}`,
            field: cell,
          }))
        : []),
    ]),
  );

  /** Lists the places whose text breaks a rule. */
  const wrong = (
    texts: readonly (readonly [where: string, text: string])[],
    fine: (text: string) => boolean,
  ) => texts.filter(([, text]) => !fine(text)).map(([where, text]) => `${where}: "${text}"`);

  const labels = fields.map(({ where, field }) => [where, field.label] as const);
  const helps = fields.map(({ where, field }) => [where, field.help] as const);
  const sentences = [
    ...helps,
    ...components.map(({ type, declaration }) => [`${type}: summary`, declaration.summary] as const),
    ...components.flatMap(({ type, declaration }) =>
      Object.entries(declaration.codes ?? {}).map(([code, text]) => [`${type}: ${code}`, text] as const),
    ),
    ...Object.entries(CODES).map(([code, text]) => [code, text] as const),
  ];

  it('come from every folder', () => {
    assert.deepEqual(broken, []);
    assert.ok(fields.length > 50);
  });

  it('have labels in sentence case without a full stop', () => {
    assert.deepEqual(
      wrong(labels, (text) => /^[A-Z0-9]/.test(text) && !/[.!?:]$/.test(text) && text === text.trim()),
      [],
    );
    const titleCase = (text: string): boolean => /^([A-Z][a-z]+ ){1,}[A-Z][a-z]+$/.test(text);
    assert.deepEqual(
      wrong(labels, (text) => !titleCase(text)),
      [],
    );
  });

  it('have labels that fit beside their field', () => {
    assert.deepEqual(
      wrong(labels, (text) => text.length <= 40),
      [],
    );
  });

  it('explain in full sentences', () => {
    assert.deepEqual(
      wrong(sentences, (text) => /^["'`A-Z0-9]/.test(text) && /[.!?]$/.test(text)),
      [],
    );
  });

  it('have choices whose labels start with a capital, a digit or a sign', () => {
    const options = fields.flatMap(({ where, field }) =>
      field.kind === 'choice' ? Object.values(field.options).map((text) => [where, text] as const) : [],
    );
    assert.deepEqual(
      wrong(options, (text) => text !== '' && !/\.$/.test(text)),
      [],
    );
  });

  it('never hold what the catalogue would take for a placeholder', () => {
    assert.deepEqual(
      wrong(sentences, (text) => !/__\w+__|\$t\(/.test(text)),
      [],
    );
  });

  it('never say "failed to", "please" or "invalid" to an engineer', () => {
    const said = [...sentences, ...Object.entries(PROBLEM_TEXTS)];
    assert.deepEqual(
      wrong(said, (text) => !/\bfailed to\b|\boops\b/i.test(text)),
      [],
    );
    const inCode = ['lib', 'nodes']
      .flatMap((folder) => filesBelow(ROOT, folder))
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .filter((file) => /['"`][^'"`\n]*\b[Ff]ailed to\b/.test(readFileSync(join(ROOT, file), 'utf8')));
    assert.deepEqual(inCode, []);
  });

  it('have defaults that pass their own check, unless the field waits for a value', () => {
    const refused = fields.filter(({ field }) => {
      if (field.kind === 'secret' || field.kind === 'ref' || field.kind === 'table') return false;
      const raw = field.kind === 'typed' ? field.default.value : field.default;
      if (raw === '' || raw === undefined || (Array.isArray(raw) && raw.length === 0)) return false;
      const read = readField(field, 'field', raw, field.kind === 'typed' ? field.default.type : undefined);
      return 'problems' in read;
    });
    assert.deepEqual(
      refused.map(({ where }) => where),
      [],
    );
  });
});
