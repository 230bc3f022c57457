/** Config fuzz from the declarations: parsing never throws and names every problem by its label. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { surroundings } from '../helpers/surroundings';
import { isFailure, silentLog, systemClock } from '../../lib/core';
import type { AnyDeclaration } from '../../lib/roles';
import { allFields } from '../../lib/roles/framework-fields';
import { ownSettings, readSettings } from '../../lib/roles/settings';
import { parse, type Fields, type RawConfig } from '../../lib/spec';
import { rawDefaults, samplesOf } from './samples';
import { SYSTEMS } from './systems';
import { shownConfig, wrongValues } from './wrong-values';

const SEED = 20_260_101;

for (const system of SYSTEMS) {
  for (const declaration of system.declarations) {
    describe(`contract: settings of ${declaration.type}`, () => {
      const fields = allFields(declaration);

      for (const [name, field] of Object.entries(fields)) {
        it(`refuses what ${name} cannot be, naming "${field.label}"`, () => {
          const base = shownConfig(fields, name);
          for (const { why, value, type } of wrongValues(field)) {
            const raw = { ...base, [name]: value, ...(type === undefined ? {} : { [`${name}Type`]: type }) };
            const parsed = parse(fields, raw, raw);
            assert.ok(!parsed.ok, `${why} was accepted`);
            const own = parsed.problems.filter((one) => one.field === name);
            assert.ok(own.length > 0, `${why}: no problem names ${name}`);
            for (const one of own) assert.ok(one.message.includes(field.label), one.message);
          }
        });
      }

      it('reports every problem at once', () => {
        const raw: RawConfig = rawDefaults(fields);
        const parents = new Set(Object.values(fields).flatMap((field) => Object.keys(field.showWhen ?? {})));
        const broken = Object.keys(fields).filter((name) => {
          const field = fields[name];
          const wrong = field && !field.showWhen && !parents.has(name) ? wrongValues(field)[0] : undefined;
          if (!wrong) return false;
          raw[name] = wrong.value;
          if (wrong.type !== undefined) raw[`${name}Type`] = wrong.type;
          return true;
        });
        const parsed = parse(fields, raw, raw);
        assert.ok(!parsed.ok);
        const named = new Set(parsed.problems.map((one) => one.field));
        for (const name of broken) assert.ok(named.has(name), `nothing was said about ${name}`);
      });

      it('survives arbitrary settings', () => {
        fc.assert(
          fc.property(hostile(fields), hostile(fields), (raw, secrets) => {
            const parsed = parse(fields, raw, secrets);
            if (!parsed.ok) {
              assert.ok(parsed.problems.length > 0);
              for (const one of parsed.problems) assert.match(one.message, /^\S.*\.$/s);
            }
            assert.equal(({} as { polluted?: unknown }).polluted, undefined);
          }),
          { seed: SEED, numRuns: 150 },
        );
      });

      it('accepts every sample', () => {
        if (declaration.role === 'connector') return;
        for (const sample of samplesOf(system, declaration)) {
          const raw = { ...sample.config, connection: 'some-id' };
          readSettings(declaration, raw, { ...sample.credentials });
        }
      });

      it('prepares accepted settings, or says in a failure what is wrong with them', async () => {
        const seen = samplesOf(system, declaration).map((sample) => sample.config);
        const mixed = fc.constantFrom(...seen).chain((base) =>
          fc
            .record(Object.fromEntries(Object.keys(declaration.fields).map((name) => [name, oddText])), {
              requiredKeys: [],
            })
            .map((odd): RawConfig => ({ ...base, ...odd })),
        );
        await fc.assert(
          fc.asyncProperty(mixed, async (raw) => prepareOnce(declaration, raw)),
          { seed: SEED, numRuns: 100 },
        );
      });
    });
  }
}

const oddText = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    '__proto__',
    'constructor.prototype.polluted',
    'a[',
    '{{',
    '$',
    '((',
    '*/0 * * * *',
    '"',
    '\u0000',
  ),
  fc.integer(),
);

/** Right keys with wild values, wrong keys, prototype names, things that no flow file can hold. */
function hostile(fields: Fields): fc.Arbitrary<unknown> {
  const wild = fc.oneof(
    fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true }),
    fc.constantFrom('__proto__', 'constructor', -0, 2 ** 53, Symbol('s'), () => 1, [{ __proto__: null }]),
    fc.string({ size: 'large' }),
  );
  const keys = Object.keys(fields).flatMap((name) => [name, `${name}Type`]);
  const record = fc.record(Object.fromEntries(keys.map((key) => [key, wild])), { requiredKeys: [] });
  const polluting = fc.constant(
    JSON.parse('{"__proto__":{"polluted":1},"constructor":{"polluted":1}}') as unknown,
  );
  return fc.oneof(
    { weight: 8, arbitrary: record },
    { weight: 1, arbitrary: wild },
    { weight: 1, arbitrary: polluting },
  );
}

async function prepareOnce(declaration: AnyDeclaration, raw: RawConfig): Promise<void> {
  try {
    const settings = readSettings(declaration, { ...raw, connection: 'some-id' }, {});
    const config = ownSettings(declaration.fields, settings);
    if (declaration.role === 'mapper') {
      const mapping = declaration.prepare({
        ...surroundings,
        config,
        id: 'n1',
        log: silentLog,
        clock: systemClock,
        evaluate: () => Promise.resolve(undefined),
      });
      await mapping.close?.();
    } else if ('prepare' in declaration) declaration.prepare?.(config);
  } catch (error) {
    assert.ok(isFailure(error), `${declaration.type} threw ${String(error)}`);
    assert.equal(error.kind, 'config', error.message);
  }
}
