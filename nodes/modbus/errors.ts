/** Names for everything that can go wrong with a Modbus device. */
import { Failure } from '../../lib/core';
import type { FailureKind } from '../../lib/core';

/** Codes beside the common ones; the first nine are the exception codes of V1.1b3, section 7. */
export const codes = {
  ILLEGAL_FUNCTION: 'Exception 1: the device does not know this function for this table.',
  ILLEGAL_ADDRESS: 'Exception 2: the device has no such address.',
  ILLEGAL_VALUE: 'Exception 3: the device does not accept the length or value of the request.',
  DEVICE_FAILURE: 'Exception 4: the device failed while it carried out the request.',
  ACKNOWLEDGED: 'Exception 5: the device accepted the request and needs long for it.',
  DEVICE_BUSY: 'Exception 6: the device is busy with another request.',
  NEGATIVE_ACKNOWLEDGE: 'Exception 7: the device cannot carry out the request.',
  MEMORY_PARITY: 'Exception 8: the device found an error in its memory.',
  GATEWAY_PATH: 'Exception 10: the gateway has no path to this unit.',
  GATEWAY_TARGET: 'Exception 11: the unit behind the gateway did not answer.',
  MODBUS_EXCEPTION: 'The device answered with an exception code that the standard does not define.',
  UNIT_TIMEOUT: 'The unit did not answer within the request timeout.',
  UNIT_SILENT: 'The unit did not answer before; it is asked again at the probe interval.',
  NOT_A_NUMBER: 'Status of a reading: the registers hold NaN or infinity.',
} as const;
type ModbusCode = keyof typeof codes;

interface Named {
  readonly kind: FailureKind;
  readonly code: ModbusCode;
  readonly what: string;
  /** False where the standard says that the device did not act. */
  readonly reached: boolean;
}
const named = (kind: FailureKind, code: ModbusCode, reached: boolean, what: string): Named => ({
  kind,
  code,
  reached,
  what,
});

const EXCEPTIONS: Readonly<Record<number, Named>> = {
  1: named('rejected', 'ILLEGAL_FUNCTION', false, 'does not support this function; check the area'),
  2: named('rejected', 'ILLEGAL_ADDRESS', false, 'has no such address; check address, length and addressing'),
  3: named(
    'rejected',
    'ILLEGAL_VALUE',
    false,
    'does not accept this length or value; check the longest read',
  ),
  // Section 7 calls it unrecoverable, and the device may have acted in part.
  4: named('rejected', 'DEVICE_FAILURE', true, 'reports an unrecoverable failure; check the device itself'),
  5: named('transient', 'ACKNOWLEDGED', true, 'accepted the request but needs longer for it'),
  6: named('transient', 'DEVICE_BUSY', false, 'is busy; lower the request window if this happens often'),
  7: named('rejected', 'NEGATIVE_ACKNOWLEDGE', false, 'cannot carry out this request'),
  8: named('transient', 'MEMORY_PARITY', true, 'reports a parity error in its memory'),
  10: named(
    'transient',
    'GATEWAY_PATH',
    false,
    'cannot be reached through the gateway; check unit id and gateway',
  ),
  11: named(
    'transient',
    'GATEWAY_TARGET',
    true,
    'did not answer the gateway; check its power and bus wiring',
  ),
};

export function exceptionFailure(exception: number, unit?: number): Failure {
  const known = EXCEPTIONS[exception];
  const who = unit === undefined ? 'The device' : `Unit ${unit}`;
  const details = { exception, ...(unit === undefined ? {} : { unit }) };
  if (known) {
    const message = `${who} ${known.what} (Modbus exception ${exception}).`;
    // Exceptions 10 and 11 come from a gateway that works; its unit does not.
    const partial = exception === 10 || exception === 11;
    return new Failure(known.kind, known.code, message, { reached: known.reached, details, partial });
  }
  const message = `${who} answered with the unknown Modbus exception ${exception}; see the manual of the device.`;
  return new Failure('rejected', 'MODBUS_EXCEPTION', message, { details });
}

/** Exception 1 in the words of one function: which one is missing, and what to do without it. Others pass. */
export function withoutFunction(failure: Failure, advice: string): Failure {
  if (failure.code !== 'ILLEGAL_FUNCTION') return failure;
  const { kind, code, reached, details, cause } = failure;
  const message = `The device does not support ${advice} (Modbus exception 1).`;
  return new Failure(kind, code, message, { reached, details, cause });
}

export function timeoutFailure(unit: number, ms: number): Failure {
  return new Failure(
    'transient',
    'UNIT_TIMEOUT',
    `Unit ${unit} did not answer within ${ms} ms; check unit id, power and bus, or raise the request timeout.`,
    { details: { unit }, partial: true },
  );
}

export function silentFailure(unit: number): Failure {
  return new Failure(
    'transient',
    'UNIT_SILENT',
    `Unit ${unit} does not answer; nothing was sent to it, it is asked again at the probe interval.`,
    { reached: false, details: { unit }, partial: true },
  );
}

/** The peer broke the protocol: the stream cannot be trusted any more and the session ends. */
export function protocolFailure(what: string): Failure {
  return new Failure(
    'disconnected',
    'BAD_RESPONSE',
    `The device sent ${what}, which Modbus TCP does not allow; the connection was closed. Check that the port is a ` +
      'Modbus TCP port and that no other protocol (such as RTU over TCP) is spoken there.',
  );
}

export interface Loss {
  readonly cause?: unknown;
  /** False for requests that never left. */
  readonly reached?: boolean;
  /** The connection stands but nothing was heard for this long. */
  readonly afterMs?: number;
}

export function lostFailure({ cause, reached = true, afterMs }: Loss = {}): Failure {
  const message =
    afterMs === undefined
      ? 'The connection to the device ended; check network, power and how many clients the device allows.'
      : `The device accepted the connection but sent nothing for ${afterMs} ms; check unit id, network and power.`;
  return new Failure('disconnected', 'CONNECTION_LOST', message, {
    reached,
    ...(cause === undefined ? {} : { cause }),
  });
}

const NETWORK: Readonly<Record<string, readonly [FailureKind, string, string]>> = {
  ECONNREFUSED: [
    'disconnected',
    'CONNECTION_REFUSED',
    'refused the connection; check host, port and firewall',
  ],
  ETIMEDOUT: [
    'disconnected',
    'CONNECTION_TIMEOUT',
    'did not answer the connection attempt; check host and network',
  ],
  EHOSTUNREACH: ['disconnected', 'CONNECTION_TIMEOUT', 'cannot be reached; check host, cable and routing'],
  EHOSTDOWN: ['disconnected', 'CONNECTION_TIMEOUT', 'cannot be reached; check host, cable and power'],
  ENETUNREACH: ['disconnected', 'CONNECTION_TIMEOUT', 'cannot be reached; this machine has no route to it'],
  ENOTFOUND: ['disconnected', 'HOST_NOT_FOUND', 'has a name that cannot be resolved; check host and DNS'],
  EAI_AGAIN: ['disconnected', 'HOST_NOT_FOUND', 'has a name that cannot be resolved now; check DNS'],
  ECONNRESET: ['disconnected', 'CONNECTION_LOST', 'cut the connection; check how many clients it allows'],
  EPIPE: ['disconnected', 'CONNECTION_LOST', 'closed the connection while a request was sent'],
  ECONNABORTED: ['disconnected', 'CONNECTION_LOST', 'connection was aborted'],
  EADDRNOTAVAIL: ['config', 'BAD_CONFIG', 'has an address that this machine cannot use; check the host'],
};
const NEVER_SENT = new Set(['CONNECTION_REFUSED', 'CONNECTION_TIMEOUT', 'HOST_NOT_FOUND', 'BAD_CONFIG']);

/** Names errors of node:net and of modbus-serial. */
export function classify(error: unknown): Failure {
  const facts = factsOf(error);
  const { code, modbusCode, message } = facts;
  if (modbusCode !== undefined) return exceptionFailure(modbusCode);
  // The library gives it the errno of a refused connection.
  if (/Port Not Open/i.test(message)) {
    const text = 'The connection to the device is not open.';
    return new Failure('disconnected', 'NOT_CONNECTED', text, { reached: false, cause: error });
  }
  const network = code === undefined ? undefined : NETWORK[code];
  if (network) {
    const [kind, name, what] = network;
    return new Failure(kind, name, `The device ${what} (${code}).`, {
      reached: !NEVER_SENT.has(name),
      cause: error,
    });
  }
  if (/length error|Unexpected data|CRC error/i.test(message))
    return protocolFailure('an answer of the wrong form');
  return new Failure('unclassified', 'UNCLASSIFIED', message || 'An error without a message.', {
    cause: error,
  });
}

/** modbus-serial keeps system codes in `errno`, Node in `code`; with several addresses they sit one level down. */
function factsOf(error: unknown): {
  code: string | undefined;
  modbusCode: number | undefined;
  message: string;
} {
  if (typeof error !== 'object' || error === null) {
    return { code: undefined, modbusCode: undefined, message: String(error) };
  }
  const seen = error as {
    code?: unknown;
    errno?: unknown;
    modbusCode?: unknown;
    message?: unknown;
    errors?: unknown;
  };
  const first: unknown = Array.isArray(seen.errors) ? seen.errors[0] : undefined;
  const text = [seen.code, seen.errno].find((value) => typeof value === 'string');
  return {
    code: text ?? (first === undefined ? undefined : factsOf(first).code),
    modbusCode: typeof seen.modbusCode === 'number' ? seen.modbusCode : undefined,
    message: typeof seen.message === 'string' ? seen.message : '',
  };
}
