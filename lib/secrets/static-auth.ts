import { badSetting, required, secretOf, textOf, type Settings } from './settings';
import type { AuthParts } from './types';

/** RFC 9110 section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII with inner blanks; no line break, so that no second header can be smuggled in. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const TOKEN = /^[\x21-\x7e]+$/;
/** Cc is the Unicode class of control characters. */
const CONTROL = /\p{Cc}/u;
/** Headers that frame the message; a key in one of these would break the request. */
const FRAMING = new Set([
  'host',
  'connection',
  'content-length',
  'content-type',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 7617, with UTF-8. */
export function basicParts(username: string, password: string): AuthParts {
  required(username, 'User name');
  if (username.includes(':')) throw badSetting('User name', 'must not hold a colon');
  if (CONTROL.test(username)) throw badSetting('User name', 'holds a control character such as a line break');
  if (CONTROL.test(password)) throw badSetting('Password', 'holds a control character such as a line break');
  const value = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
  return header('authorization', `Basic ${value}`);
}

/** RFC 6750 section 2.1. */
export function bearerParts(settings: Settings): AuthParts {
  const token = required(secretOf(settings, 'token').trim(), 'Token');
  if (!TOKEN.test(token))
    throw badSetting('Token', 'holds a blank, a line break or a character beyond ASCII');
  return header('authorization', `Bearer ${token}`);
}

export function apiKeyParts(settings: Settings): AuthParts {
  const name = required(textOf(settings, 'apiKeyName'), 'API key name');
  const value = required(secretOf(settings, 'apiKeyValue').trim(), 'API key');
  if (textOf(settings, 'apiKeyIn') === 'query') {
    if (CONTROL.test(name))
      throw badSetting('API key name', 'holds a control character such as a line break');
    return { headers: {}, query: own(name, value) };
  }
  if (!HEADER_NAME.test(name)) throw badSetting('API key name', 'is not a header name such as X-API-Key');
  if (FRAMING.has(name.toLowerCase())) throw badSetting('API key name', 'is a header that HTTP itself needs');
  if (!HEADER_VALUE.test(value))
    throw badSetting('API key', 'holds a line break or a character beyond ASCII');
  return header(name, value);
}

function header(name: string, value: string): AuthParts {
  return { headers: own(name, value), query: {} };
}

/** An own property whatever its name, also `__proto__`. */
function own(name: string, value: string): Readonly<Record<string, string>> {
  return Object.fromEntries([[name, value]]);
}
