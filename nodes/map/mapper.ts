/** The map node: builds a new message from an old one by rules or templates. */
import { createRequire } from 'node:module';
import { defineMapper } from '../../lib/roles';
import { Evaluator } from './evaluator';
import type { JsonataLibrary } from './expression';
import { fields } from './fields';
import { compileProgram } from './program';
import type { MustacheLibrary } from './template';

/** Loads libraries when the first node starts, not with the palette. */
const load = createRequire(__filename);

export const mapper = defineMapper({
  type: 'holdfast-map',
  version: 1,
  label: 'map',
  summary:
    'Builds messages from messages: a table of rules, or a template of the whole, with types and defaults.',
  details: `A rule takes a source path, transforms the value, converts it to a type and sets a target path. A missing
required value or one that cannot be converted fails the message; the failure lists every problem at once, and
the original message reaches Catch unchanged.

With a source, a template or an expression starts from its value; without one, from the whole message (or the
element). \`$msg\` in an expression and \`msg.\` in a path mean the whole message.`,
  fields,
  prepare({ config, clock }) {
    const program = compileProgram(config, {
      mustache: load('mustache') as MustacheLibrary,
      jsonata: load('jsonata') as JsonataLibrary,
    });
    if (program.expressions.length === 0) {
      return { map: (msg) => program.build(msg, program.inputs(msg), []) };
    }
    const evaluator = new Evaluator(config.timeLimit, clock);
    return {
      async map(msg) {
        const inputs = program.inputs(msg);
        const outcomes = await evaluator.run(program.jobs(msg, inputs), msg);
        return program.build(msg, inputs, outcomes);
      },
      close: () => evaluator.close(),
    };
  },
});
