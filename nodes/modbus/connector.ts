import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Scope } from '../../lib/core';
import { defineConnector } from '../../lib/roles';
import { bool, choice, duration, int, text } from '../../lib/spec';
import { classify, codes } from './errors';
import { ping } from './ping';
import { Session } from './session';

const fields = {
  host: text({
    label: 'Host',
    help: 'This is the name or address of the device or gateway.',
    default: '',
    maxLength: 253,
    placeholder: '192.168.0.10',
  }),
  port: int({
    label: 'Port',
    help: 'Modbus TCP devices listen on port 502 unless they are set otherwise.',
    default: 502,
    min: 1,
    max: 65_535,
  }),
  unit: int({
    label: 'Unit id',
    help: 'It is used for tags without a unit id of their own. Devices without a gateway often take 1 or 255.',
    default: 1,
    min: 0,
    max: 255,
  }),
  order: choice({
    label: 'Byte order',
    help: 'Tags that do not set their own order arrive in this one. A is the most significant byte.',
    default: 'abcd',
    options: {
      abcd: 'ABCD (big endian)',
      cdab: 'CDAB (words swapped)',
      badc: 'BADC (bytes swapped)',
      dcba: 'DCBA (little endian)',
    },
  }),
  length: int({
    label: 'Longest read',
    help: 'A request reads at most this many registers. Lower it for devices that refuse long reads. Bit areas take sixteen times as many bits.',
    default: 125,
    min: 1,
    max: 125,
    unit: 'registers',
  }),
  gap: int({
    label: 'Largest gap',
    help: 'A request may read this many unused registers between two tags. With 0 only neighbouring tags share a request.',
    default: 16,
    min: 0,
    max: 124,
    unit: 'registers',
  }),
  window: int({
    label: 'Request window',
    help:
      'At most this many requests are under way to one unit. Holdfast starts with one and sends more at once only while the device ' +
      'answers faster that way.',
    default: 16,
    min: 1,
    max: 64,
    unit: 'requests',
  }),
  exclusive: bool({
    label: 'Single request at a time',
    help: 'For gateways and devices that drop requests while another is under way. All units then share one window of 1.',
    default: false,
  }),
  alwaysMultiple: bool({
    label: 'Only functions 15 and 16',
    help: 'Writes a single coil or register with function 15 or 16, for devices without functions 5 and 6.',
    default: false,
  }),
  requestTimeout: duration({
    label: 'Request timeout',
    help: 'How long a unit may take for one request. Must be longer than the timeout of a gateway on its serial side.',
    default: '1s',
    min: '10ms',
    max: '60s',
  }),
  probeEvery: duration({
    label: 'Probe interval',
    help: 'How often a unit that stopped answering is asked again. Its tags are bad meanwhile, and no other unit waits.',
    default: '10s',
    min: '100ms',
    max: '1h',
  }),
};

export const connector = defineConnector({
  type: 'holdfast-modbus-connection',
  version: 1,
  label: 'modbus connection',
  summary: 'Connects to a Modbus TCP device, or to a gateway with several units.',
  details:
    'Requests to one unit are pipelined as far as the device gets faster by it. Every unit has its own queue: one that ' +
    'does not answer is probed from time to time and delays no other. Answers are checked for id, unit, function and ' +
    'length; a peer that breaks the protocol is disconnected, because later values could be wrong.',
  fields,
  codes,
  defaults: { concurrency: 32, queue: 200, pingEvery: '30s' },
  async open(ctx) {
    const { default: library } = await import('modbus-serial');
    const { host, port } = ctx.config;
    const socket = await dial(host, port, ctx.scope);
    return new Session({
      socket,
      Client: library.default,
      settings: ctx.config,
      clock: ctx.clock,
      lost: ctx.lost,
    });
  },
  close(session) {
    session.close();
    return Promise.resolve();
  },
  ping,
  classify,
  simulator: {
    load: () => import('./simulator.js'),
    apply: (config, { host, port }) => ({ ...config, host, port }),
  },
});

/** Without Nagle's algorithm: requests are small, and each waits for an answer. */
function dial(host: string, port: number, scope: Scope): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true });
    const removeAbort = scope.onAbort((reason) => {
      socket.destroy();
      reject(reason);
    });
    socket.once('error', (error) => {
      removeAbort();
      reject(error);
    });
    socket.once('connect', () => {
      removeAbort();
      resolve(socket);
    });
  });
}
