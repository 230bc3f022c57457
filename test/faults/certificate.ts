/** Certificates made at run time (X.509 v3, RFC 5280): no key lies in the repository, and none expires. */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  bits,
  der,
  explicit,
  generalizedTime,
  integer,
  octets,
  oid,
  sequence,
  set,
  truth,
  utf8,
} from './der';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}
export interface Authority extends Certificate {
  /** A server or client certificate for these names and IPv4 addresses. */
  issue(hosts: readonly string[], until?: Date): Certificate;
}

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const DAY = 86_400_000;

/** A certificate authority of its own; trust it through its `cert`. */
export function makeAuthority(name = 'Fault test authority'): Authority {
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ca = pem(issuer.privateKey, name, name, issuer.publicKey, [basicConstraints()], inDays(3650));
  return {
    ...ca,
    issue(hosts, until = inDays(365)) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const names = [alternativeNames(hosts)];
      const { cert } = pem(issuer.privateKey, name, hosts[0] ?? 'nobody', pair.publicKey, names, until);
      return { cert, key: keyPem(pair.privateKey) };
    },
  };
}

function pem(
  signer: KeyObject,
  issuer: string,
  subject: string,
  publicKey: KeyObject,
  extensions: readonly Buffer[],
  until: Date,
): Certificate {
  const begin = new Date(Math.min(Date.now(), until.getTime()) - DAY);
  const body = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ECDSA_SHA256,
    nameOf(issuer),
    sequence(generalizedTime(begin), generalizedTime(until)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions)),
  );
  const whole = sequence(body, ECDSA_SHA256, bits(sign('sha256', body, signer)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  const cert = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  return { cert, key: keyPem(signer) };
}

const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const inDays = (days: number): Date => new Date(Date.now() + days * DAY);
const nameOf = (common: string): Buffer => sequence(set(sequence(oid('2.5.4.3'), utf8(common))));
const basicConstraints = (): Buffer => sequence(oid('2.5.29.19'), truth(), octets(sequence(truth())));

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIPv4(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host)),
  );
  return sequence(oid('2.5.29.17'), octets(sequence(...names)));
}
