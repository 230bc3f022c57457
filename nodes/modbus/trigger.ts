import { defineTrigger } from '../../lib/roles';
import { choice, duration, number } from '../../lib/spec';
import { TagBook } from './book';
import { ChangeFilter } from './changes';
import { connector } from './connector';
import { noteQuality, readTags } from './read';
import { addressing, tagTable } from './tags';

const fields = {
  every: duration({
    label: 'Interval',
    help: 'Time from the start of one poll to the start of the next.',
    default: '1s',
    min: '10ms',
    max: '1d',
  }),
  emit: choice({
    label: 'Readings to send',
    help: 'All readings of every poll, or only those that changed.',
    default: 'all',
    options: { all: 'All readings', changes: 'Changed readings' },
  }),
  deadbandKind: choice({
    label: 'Deadband',
    help: 'Smallest change of a number that counts, measured from the value that was sent last.',
    default: 'none',
    options: { none: 'None', absolute: 'In the unit of the tag', percent: 'In percent' },
    showWhen: { emit: ['changes'] },
  }),
  deadband: number({
    label: 'Deadband size',
    help: 'A number that moved by no more than this does not count as changed.',
    default: 1,
    min: 0,
    showWhen: { deadbandKind: ['absolute', 'percent'] },
  }),
  heartbeat: duration({
    label: 'Heartbeat',
    help: 'A tag that was not sent for this long is sent even without a change. Zero turns it off.',
    default: '1m',
    min: '0s',
    max: '1d',
    showWhen: { emit: ['changes'] },
  }),
  addressing,
  tags: tagTable,
};

export const trigger = defineTrigger({
  type: 'holdfast-modbus-trigger',
  version: 1,
  label: 'modbus poll',
  summary: 'Polls tags of a Modbus device and sends all readings or only changes.',
  details:
    'Sends one message for each poll with `msg.payload` as an array of Readings. With changed readings, a poll without ' +
    'a change sends nothing; a change of quality always counts.',
  connector,
  fields,
  prepare: ({ tags, addressing: counting, emit, deadbandKind, deadband, heartbeat }) => ({
    book: new TagBook(tags, counting),
    filter:
      emit === 'changes'
        ? new ChangeFilter({ mode: deadbandKind, deadband, heartbeatMs: heartbeat })
        : undefined,
  }),
  poll: {
    everyMs: ({ every }) => every,
    operation: () => 'read tags',
    async read({ session, prepared: { book, filter }, call, clock, note }) {
      const readings = await readTags(session, book.on(session).plan([]), call.scope, clock);
      noteQuality(readings, note);
      const payload = filter ? filter.pass(readings, clock.mono()) : readings;
      return payload.length > 0 ? { payload } : undefined;
    },
  },
});
