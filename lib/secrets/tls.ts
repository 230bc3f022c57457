import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import { Failure, type Clock } from '../core';
import { nodeReadFile, readProblem, type ReadFile } from './read-file';
import { badSetting, secretOf, textOf, type Settings } from './settings';
import type { TlsOptions } from './types';

const MAX_PEM_BYTES = 1_048_576;
const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

export interface TlsDeps {
  readonly readFile?: ReadFile;
  /** Relative paths start here (Node-RED's user directory). Without it only absolute paths are taken. */
  readonly directory?: string;
  readonly clock: Clock;
}
export interface BuiltTls {
  readonly tls: TlsOptions;
  /** Sentences to log at every start; while one stands, the connection is degraded. */
  readonly warnings: readonly string[];
}

/**
 * Turns the values of `tlsFields` into TLS options; every certificate and key is read and checked here, so that
 * a wrong one is named at the start and not by a failing handshake.
 *
 * @throws Failure `config` that names the field.
 */
export async function buildTls(settings: Settings, deps: TlsDeps): Promise<BuiltTls> {
  const [ca, cert, key] = await Promise.all([
    load(textOf(settings, 'tlsCa'), 'CA certificates', deps),
    load(textOf(settings, 'tlsCert'), 'Client certificate', deps),
    load(secretOf(settings, 'tlsKey').trim(), 'Client key', deps),
  ]);
  const passphrase = secretOf(settings, 'tlsPassphrase');
  const warnings = [...checkCa(ca, deps.clock), ...checkPair(cert, key, passphrase, deps.clock)];
  const verify = textOf(settings, 'tlsVerify') !== 'none';
  const servername = textOf(settings, 'tlsServerName');
  const tls: TlsOptions = {
    minVersion: textOf(settings, 'tlsMinVersion') === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
    rejectUnauthorized: verify,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(key && passphrase && { passphrase }),
    ...(servername && { servername }),
  };
  return { tls, warnings: verify ? warnings : [UNVERIFIED, ...warnings] };
}

const UNVERIFIED =
  'The certificate of the server is not checked: anyone on the network can pretend to be the server and read ' +
  'the credentials. Set "Certificate check" to full and enter the authority under "CA certificates".';

async function load(value: string, label: string, deps: TlsDeps): Promise<string> {
  if (value === '' || value.includes('-----BEGIN')) return value;
  if (value.includes('\n')) throw badSetting(label, 'is neither PEM text nor the path of a file');
  const path = value.replace(/^file:(?:\/\/)?/, '');
  if (!isAbsolute(path) && deps.directory === undefined) {
    throw badSetting(label, 'is neither PEM text nor an absolute path');
  }
  // The path stays out of the sentence for the key: it may be a key pasted without its BEGIN line.
  const shown = label === 'Client key' ? 'a file' : `the file ${path.slice(0, 300)}`;
  const content = await readPem(
    resolve(deps.directory ?? '/', path),
    label,
    shown,
    deps.readFile ?? nodeReadFile,
  );
  if (!content.includes('-----BEGIN')) throw badSetting(label, `names ${shown} that holds no PEM text`);
  return content;
}

async function readPem(path: string, label: string, shown: string, readFile: ReadFile): Promise<string> {
  let problem: string;
  try {
    const content = await readFile(path, MAX_PEM_BYTES);
    if (content.length <= MAX_PEM_BYTES) return content.toString('utf8').trim();
    problem = 'the file is larger than 1 MiB';
  } catch (error) {
    problem = readProblem(error);
  }
  const details = { field: label };
  throw new Failure('config', 'AUTH_UNAVAILABLE', `"${label}" names ${shown}, but ${problem}.`, {
    reached: false,
    details,
  });
}

function checkCa(ca: string, clock: Clock): string[] {
  if (ca === '') return [];
  return parseCertificates(ca, 'CA certificates').flatMap((one) => expiry(one, 'CA certificates', clock));
}

function checkPair(cert: string, key: string, passphrase: string, clock: Clock): string[] {
  if (cert === '' && key === '') return [];
  if (cert === '') throw badSetting('Client certificate', 'is empty although a client key is given');
  if (key === '') throw badSetting('Client key', 'is empty although a client certificate is given');
  const [own] = parseCertificates(cert, 'Client certificate');
  const privateKey = parseKey(key, passphrase);
  if (!own?.checkPrivateKey(privateKey))
    throw badSetting('Client key', 'does not belong to the client certificate');
  return expiry(own, 'Client certificate', clock);
}

function parseCertificates(pem: string, label: string): X509Certificate[] {
  const blocks = pem.match(BLOCK);
  if (!blocks) throw badSetting(label, 'holds no "BEGIN CERTIFICATE" block');
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw badSetting(label, `is damaged: certificate ${i + 1} of ${blocks.length} cannot be read`);
    }
  });
}

/** OpenSSL's errors can quote parts of the input, so none is passed on. */
function parseKey(key: string, passphrase: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(passphrase ? { key, passphrase } : key);
  } catch {
    const encrypted = /ENCRYPTED/.test(key);
    if (encrypted && passphrase === '')
      throw badSetting('Key passphrase', 'is empty, but the client key is encrypted');
    if (encrypted) throw badSetting('Key passphrase', 'does not open the client key');
    throw badSetting('Client key', 'is not a private key in PEM form');
  }
}

function expiry(certificate: X509Certificate, label: string, clock: Clock): string[] {
  const until = Date.parse(certificate.validTo);
  if (!(until < clock.now())) return [];
  return [`"${label}" holds a certificate that expired on ${new Date(until).toISOString().slice(0, 10)}.`];
}
