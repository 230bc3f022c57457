/** Failure codes in two or three words, for the line under a node. The whole sentence is in health and log. */
const WORDS: Readonly<Record<string, string>> = {
  CONNECTION_REFUSED: 'connection refused',
  CONNECTION_TIMEOUT: 'no answer',
  CONNECTION_LOST: 'connection lost',
  NOT_CONNECTED: 'not connected',
  HOST_NOT_FOUND: 'host not found',
  TLS_FAILED: 'TLS failed',
  CALL_TIMEOUT: 'answers too slowly',
  OUTCOME_UNKNOWN: 'an answer was lost',
  RATE_LIMITED: 'rate limit used up',
  BULKHEAD_FULL: 'too many calls',
  THROTTLED: 'asked to slow down',
  PEER_ERROR: 'reports errors',
  BAD_RESPONSE: 'answers wrongly',
  RESPONSE_TOO_LARGE: 'answer too large',
  AUTH_FAILED: 'credentials refused',
  AUTH_UNAVAILABLE: 'no credentials',
  MISSING_LIBRARY: 'library not installed',
  BAD_CONFIG: 'wrong settings',
};

export function inWords(code: string | undefined, otherwise: string): string {
  return code !== undefined && Object.hasOwn(WORDS, code) ? (WORDS[code] ?? otherwise) : otherwise;
}
