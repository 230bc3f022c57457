/** Headings and fixed sentences of the generated help and reference. */
export const HELP_TEXTS = {
  inputs: 'Inputs',
  outputs: 'Outputs',
  result: 'The message with the result of the call.',
  reports:
    'Only with store and forward or dead letters: reports. `msg.delivery` holds `event` (`stored`, `delivered`, `dead` or `dropped`), `id`, `time`, `attempts` and `waiting`; `msg.failure` the reason.',
  properties: 'Properties',
  details: 'Details',
  failures: 'Failures',
  overrides: 'Overrides "{{label}}" for this message.',
  failureNote: 'A message that fails reaches a Catch node with `msg.failure`: kind, code, message, details.',
  default: 'default {{value}}',
  secret: 'stored encrypted',
  columns: 'Columns: {{columns}}.',
  kinds: {
    text: 'text',
    int: 'whole number',
    number: 'number',
    bool: 'yes or no',
    choice: 'choice',
    secret: 'secret',
    duration: 'duration',
    typed: 'typed value',
    ref: 'configuration node',
    list: 'list',
    table: 'table',
  },
} as const;
