/**
 * The fields that every node of a role has without declaring them: name, credentials, TLS, Delivery and
 * Trace tabs. The generator and the runtime both read `allFields`, so they cannot drift.
 */
import { bool, choice, duration, int, number, ref, text, type Fields, type ValuesOf } from '../spec';
import { COORDINATOR_TYPE } from './coordinator-type';
import { forwardFields, type ForwardSettings } from './forward/fields';
import { authFields, tlsFields } from '../secrets/fields';
import type {
  AdapterDeclaration,
  AnyDeclaration,
  ConnectionDefaults,
  ConnectorDeclaration,
  TriggerDeclaration,
} from './declare';

export const nameField = {
  name: text({
    label: 'Name',
    help: 'How the node is called on the canvas, in logs and in metrics.',
    default: '',
    optional: true,
    maxLength: 200,
  }),
} satisfies Fields;

export const simulateField = {
  simulate: bool({
    label: 'Simulate',
    help: 'Talks to a built-in simulator instead of the configured peer. Status, health and provenance say so.',
    default: false,
  }),
  outageEvery: duration({
    label: 'Play an outage every',
    help: 'The simulated peer goes away again and again, to see what a flow does then. Zero means never.',
    default: '0s',
    min: '0s',
    max: '1d',
    showWhen: { simulate: [true] },
  }),
  outageFor: duration({
    label: 'Outage lasts',
    help: 'How long the simulated peer stays away.',
    default: '20s',
    min: '1s',
    max: '1d',
    showWhen: { simulate: [true] },
  }),
} satisfies Fields;

/** Policies that belong to the remote system, so to its connection. */
export function connectionFields(defaults: ConnectionDefaults = {}) {
  return {
    openTimeout: duration({
      tab: 'delivery',
      label: 'Connect timeout',
      help: 'How long opening the connection may take.',
      default: '10s',
      min: '100ms',
      max: '10m',
    }),
    reopenMax: duration({
      tab: 'delivery',
      label: 'Longest pause before reconnecting',
      help: 'Pauses between attempts grow from one second to this, with jitter.',
      default: '30s',
      min: '1s',
      max: '1h',
    }),
    pingEvery: duration({
      tab: 'delivery',
      label: 'Check link every',
      help: 'While nothing else succeeds, the peer is asked for a sign of life this often.',
      default: defaults.pingEvery ?? '30s',
      min: '500ms',
      max: '1d',
    }),
    breakerMode: choice({
      tab: 'delivery',
      label: 'Circuit breaker',
      help: 'Stops calling a peer that keeps failing, and probes it until it answers again.',
      default: 'consecutive',
      options: { off: 'Off', consecutive: 'Failures in a row', rate: 'Failure rate' },
    }),
    breakerFailures: int({
      tab: 'delivery',
      label: 'Failures in a row',
      help: 'The breaker opens after this many.',
      default: 5,
      min: 1,
      max: 10_000,
      showWhen: { breakerMode: ['consecutive'] },
    }),
    breakerRate: number({
      tab: 'delivery',
      label: 'Failure rate',
      help: 'The breaker opens when this share of the calls in the window failed.',
      default: 50,
      min: 1,
      max: 100,
      unit: '%',
      showWhen: { breakerMode: ['rate'] },
    }),
    breakerWindow: duration({
      tab: 'delivery',
      label: 'Window',
      help: 'The time over which the failure rate is counted.',
      default: '1m',
      min: '1s',
      max: '1h',
      showWhen: { breakerMode: ['rate'] },
    }),
    breakerMinimum: int({
      tab: 'delivery',
      label: 'Fewest calls in the window',
      help: 'Below this number of calls the failure rate is not judged.',
      default: 10,
      min: 1,
      max: 100_000,
      showWhen: { breakerMode: ['rate'] },
    }),
    breakerOpen: duration({
      tab: 'delivery',
      label: 'Stay open for',
      help: 'How long the breaker waits before it lets a probe through.',
      default: '10s',
      min: '100ms',
      max: '1h',
      showWhen: { breakerMode: ['consecutive', 'rate'] },
    }),
    rateRequests: int({
      tab: 'delivery',
      label: 'Rate limit',
      help: 'Most calls per period. Zero means no limit.',
      default: 0,
      min: 0,
      max: 1_000_000,
      unit: 'calls',
    }),
    ratePeriod: duration({
      tab: 'delivery',
      label: 'Period',
      help: 'The period of the rate limit.',
      default: '1s',
      min: '10ms',
      max: '1d',
    }),
    rateBurst: int({
      tab: 'delivery',
      label: 'Burst',
      help: 'How many calls may go at once after a quiet time. Zero means the whole limit.',
      default: 0,
      min: 0,
      max: 1_000_000,
      unit: 'calls',
    }),
    rateWhenEmpty: choice({
      tab: 'delivery',
      label: 'Above the limit',
      help: 'Whether a call above the rate limit waits for its turn or fails.',
      default: 'wait',
      options: { wait: 'Wait', reject: 'Fail' },
    }),
    concurrency: int({
      tab: 'delivery',
      label: 'Calls at the same time',
      help: 'More calls than this wait in a queue.',
      default: defaults.concurrency ?? 32,
      min: 1,
      max: 10_000,
    }),
    queueLength: int({
      tab: 'delivery',
      label: 'Calls waiting',
      help: 'When this many wait, further calls fail at once instead of filling the memory.',
      default: defaults.queue ?? 1000,
      min: 0,
      max: 1_000_000,
    }),
  } satisfies Fields;
}

/** Policies that belong to a call, so to the node that makes it. */
export const callFields = {
  timeout: duration({
    tab: 'delivery',
    label: 'Timeout',
    help: 'How long one attempt may take.',
    default: '10s',
    min: '1ms',
    max: '1h',
    override: 'timeout',
  }),
  retryStrategy: choice({
    tab: 'delivery',
    label: 'Retry',
    help: 'Repeats calls that failed for a passing reason and may be repeated without harm.',
    default: 'exponential',
    options: {
      none: 'Never',
      fixed: 'Fixed pause',
      linear: 'Growing pause',
      exponential: 'Doubling pause with jitter',
    },
  }),
  retryAttempts: int({
    tab: 'delivery',
    label: 'Attempts',
    help: 'How often a call is tried in all.',
    default: 4,
    min: 1,
    max: 1000,
    showWhen: { retryStrategy: ['fixed', 'linear', 'exponential'] },
  }),
  retryBase: duration({
    tab: 'delivery',
    label: 'First pause',
    help: 'The pause before the second attempt.',
    default: '500ms',
    min: '1ms',
    max: '1h',
    showWhen: { retryStrategy: ['fixed', 'linear', 'exponential'] },
  }),
  retryMax: duration({
    tab: 'delivery',
    label: 'Longest pause',
    help: 'Pauses do not grow beyond this.',
    default: '30s',
    min: '1ms',
    max: '1d',
    showWhen: { retryStrategy: ['linear', 'exponential'] },
  }),
} satisfies Fields;

/** Offered where a call can be `safe`. */
export const cacheFields = {
  cacheFor: duration({
    tab: 'delivery',
    label: 'Keep results for',
    help: 'Answers of calls that change nothing are reused for this long. Zero turns the cache off.',
    default: '0ms',
    min: '0ms',
    max: '1d',
  }),
  cacheSize: int({
    tab: 'delivery',
    label: 'Results kept',
    help: 'The oldest results make room when there are more.',
    default: 100,
    min: 1,
    max: 100_000,
    unit: 'results',
  }),
} satisfies Fields;

export const traceFields = {
  provenance: bool({
    tab: 'trace',
    label: 'Add provenance',
    help: 'Sets msg.provenance: connection, operation, times, attempts and hashes of request and payload.',
    default: false,
  }),
} satisfies Fields;

/** Through which several gateways agree; the label says about what. */
function coordinatorField(tab: 'node' | 'delivery', label: string, help: string) {
  return { coordinator: ref({ tab, label, help, to: COORDINATOR_TYPE, optional: true }) } satisfies Fields;
}

const shareBreaker = coordinatorField(
  'delivery',
  'Share breaker through',
  'A queue on NATS JetStream: when the circuit breaker opens or closes on one gateway, those of connections with the same name on the others follow. Empty means that this runtime judges alone.',
);
const coordinate = coordinatorField(
  'node',
  'Run on one gateway through',
  'A queue on NATS JetStream: of several gateways with this node, one does the work and another takes over when it dies. Empty means that every runtime does it.',
);

export type ConnectionSettings = ValuesOf<
  typeof nameField & typeof simulateField & ReturnType<typeof connectionFields>
>;
export type CallSettings = ValuesOf<
  typeof nameField & typeof callFields & typeof cacheFields & typeof traceFields
> &
  ForwardSettings;

/** Every field of a node: name, its own, and what its role adds. */
export function allFields(declaration: AnyDeclaration): Fields {
  switch (declaration.role) {
    case 'connector':
      return connectorFields(declaration);
    case 'adapter':
      return adapterFields(declaration);
    case 'trigger':
      return triggerFields(declaration);
    case 'mapper':
    case 'monitor':
      return { ...nameField, ...declaration.fields };
  }
}

function connectorFields(declaration: ConnectorDeclaration): Fields {
  return {
    ...nameField,
    // First, because it decides whether an address is needed at all.
    ...simulateField,
    ...relaxed(declaration.fields),
    ...remote(declaration, declaration.auth ? authFields(declaration.auth) : {}),
    ...remote(declaration, declaration.tls ? tlsFields() : {}),
    ...connectionFields(declaration.defaults),
    ...(declaration.coordinates ? {} : shareBreaker),
  };
}

/** Where the peer is need not be known while the simulator stands in for it. */
function relaxed(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, { ...field, optionalWhen: { simulate: [true] } }]),
  );
}

function remote({ remoteWhen }: ConnectorDeclaration, fields: Fields): Fields {
  if (!remoteWhen) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      { ...field, showWhen: { ...field.showWhen, ...remoteWhen } },
    ]),
  );
}

function connectionRef(connector: ConnectorDeclaration): Fields {
  return {
    connection: ref({
      label: 'Connection',
      help: 'The device or server, shared by all nodes that name it.',
      to: connector.type,
    }),
  };
}

function adapterFields(declaration: AdapterDeclaration): Fields {
  return {
    ...nameField,
    ...connectionRef(declaration.connector),
    ...declaration.fields,
    ...callFields,
    ...(declaration.forward === false ? {} : forwardFields),
    ...(declaration.cacheKey ? cacheFields : {}),
    ...traceFields,
  };
}

function triggerFields(declaration: TriggerDeclaration): Fields {
  const agreed = declaration.coordinated ? coordinate : {};
  if (!declaration.connector) return { ...nameField, ...declaration.fields, ...agreed };
  return {
    ...nameField,
    ...connectionRef(declaration.connector),
    ...declaration.fields,
    ...agreed,
    ...(declaration.poll ? { ...callFields, ...traceFields } : {}),
  };
}
