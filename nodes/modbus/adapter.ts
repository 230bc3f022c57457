import { defineAdapter } from '../../lib/roles';
import { choice, list } from '../../lib/spec';
import { TagBook } from './book';
import { connector } from './connector';
import { noteQuality, readTags } from './read';
import { addressing, tagTable } from './tags';
import { valuesOf, writeTags } from './write';

const fields = {
  operation: choice({
    label: 'Operation',
    help: 'Read gives one Reading for each tag. Write takes values from msg.payload.',
    default: 'read',
    options: { read: 'Read tags', write: 'Write tags' },
  }),
  repeat: choice({
    label: 'Repeated writes',
    help:
      'Whether a write whose confirmation was lost may be sent again. Set points may; pulses, counters and toggles ' +
      'must not, and then end as outcome unknown.',
    default: 'idempotent',
    options: { idempotent: 'May be repeated', once: 'Must not be repeated' },
    showWhen: { operation: ['write'] },
  }),
  addressing,
  tags: tagTable,
  only: list({
    label: 'Selected tags',
    help: 'Names of the tags to read, or of the one tag that a plain value is written to. Empty means all.',
    default: [],
    optional: true,
    maxItems: 10_000,
    override: 'tags',
  }),
};

export const adapter = defineAdapter({
  type: 'holdfast-modbus',
  version: 1,
  label: 'modbus',
  summary: 'Reads or writes tags of a Modbus device when a message arrives.',
  details:
    'A read sends `msg.payload` as an array of Readings, one for each tag and in the order of the table. A tag that ' +
    'cannot be read is a Reading of bad quality with the reason in `status`; the others are delivered.\n\n' +
    'A write takes an object such as `{"Set point": 75}`, a Reading, an array of Readings, or one plain value. ' +
    'All values are checked before the first is sent; they go out in the given order.',
  connector,
  fields,
  prepare: ({ tags, addressing: counting }) => new TagBook(tags, counting),
  effect: ({ operation, repeat }) => (operation === 'read' ? 'safe' : repeat),
  operation: ({ operation }) => `${operation} tags`,
  cacheKey: ({ only }) => JSON.stringify(only),
  async call({ values, msg, session, prepared, call, clock, note }) {
    const book = prepared.on(session);
    if (values.operation === 'write') {
      return {
        payload: await writeTags(session, valuesOf(msg.payload, values.only, book), call.scope, clock),
      };
    }
    const payload = await readTags(session, book.plan(values.only), call.scope, clock);
    noteQuality(payload, note);
    return { payload };
  },
});
