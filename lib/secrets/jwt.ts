import { constants, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import type { Clock, Random } from '../core';
import { badSetting, required, secretOf, textOf, type Settings } from './settings';

export const JWT_ALGORITHMS = ['RS256', 'ES256', 'PS256'] as const;
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** The authorization server's clock may be behind ours by this much. */
const SKEW_S = 60;
const LIFETIME_S = 300;
const SMALLEST_RSA = 2048;

/**
 * A function that makes a fresh signed assertion (RFC 7523 section 3, RFC 7515).
 *
 * @throws Failure `config` when issuer or key are missing or wrong.
 */
export function createAssertion(
  settings: Settings,
  tokenUrl: URL,
  clock: Clock,
  random: Random,
): () => string {
  const algorithm = JWT_ALGORITHMS.find((one) => one === textOf(settings, 'jwtAlgorithm')) ?? 'RS256';
  const key = parseKey(required(secretOf(settings, 'jwtKey').trim(), 'JWT signing key'), algorithm);
  const issuer = required(textOf(settings, 'jwtIssuer'), 'JWT issuer');
  const keyId = textOf(settings, 'jwtKeyId');
  const header = encode({ alg: algorithm, typ: 'JWT', ...(keyId && { kid: keyId }) });
  const claims = {
    iss: issuer,
    sub: textOf(settings, 'jwtSubject') || issuer,
    aud: textOf(settings, 'jwtAudience') || tokenUrl.href,
  };
  return () => {
    const now = Math.floor(clock.now() / 1000);
    const input = `${header}.${encode({ ...claims, iat: now - SKEW_S, exp: now + LIFETIME_S, jti: uniqueId(random) })}`;
    return `${input}.${signature(input, key, algorithm)}`;
  };
}

function parseKey(pem: string, algorithm: JwtAlgorithm): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // OpenSSL's error is left out: it can quote the input.
    throw badSetting('JWT signing key', 'is not an unencrypted private key in PEM form');
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (algorithm === 'ES256') {
    if (type !== 'ec' || details?.namedCurve !== 'prime256v1') {
      throw badSetting('JWT signing key', 'must be a key on the curve P-256 for ES256');
    }
  } else if (type !== 'rsa' || (details?.modulusLength ?? 0) < SMALLEST_RSA) {
    throw badSetting(
      'JWT signing key',
      `must be an RSA key of at least ${SMALLEST_RSA} bits for ${algorithm}`,
    );
  }
  return key;
}

function signature(input: string, key: KeyObject, algorithm: JwtAlgorithm): string {
  const data = Buffer.from(input, 'ascii');
  // JWS wants the two numbers of an ECDSA signature side by side, not in ASN.1 (RFC 7518 section 3.4).
  if (algorithm === 'ES256')
    return sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  if (algorithm === 'RS256') return sign('sha256', data, key).toString('base64url');
  const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  return sign('sha256', data, pss).toString('base64url');
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}

/** Need not be secret, only different each time. */
function uniqueId(random: Random): string {
  const word = (): string =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return word() + word() + word() + word();
}
