import type { Clock, Random } from '../core';
import { createAssertion } from './jwt';
import { badSetting, required, secretOf, textOf, type Settings } from './settings';
import { parseTokenUrl } from './token-url';

export const GRANTS = ['client_credentials', 'refresh_token', 'jwt_bearer'] as const;
export type Grant = (typeof GRANTS)[number];

export interface TokenRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
/** The checked OAuth2 settings of a connection. */
export interface TokenRequests {
  readonly url: URL;
  readonly grant: Grant;
  readonly clientId: string;
  /** The refresh token from the settings; '' for the other grants. */
  readonly refreshToken: string;
  /** The request of the next exchange. `refreshToken` is used by that grant alone. */
  build(refreshToken: string): TokenRequest;
}

/**
 * Token requests after RFC 6749 sections 4.4.2 and 6, and RFC 7523 section 2.1.
 *
 * @throws Failure `config` that names the field.
 */
export function tokenRequests(settings: Settings, clock: Clock, random: Random): TokenRequests {
  const url = parseTokenUrl(textOf(settings, 'tokenUrl'));
  const grant = GRANTS.find((one) => one === (textOf(settings, 'oauthGrant') || 'client_credentials'));
  if (!grant) throw badSetting('Grant', `must be one of ${GRANTS.join(', ')}`);
  const clientId = textOf(settings, 'clientId');
  if (grant !== 'jwt_bearer') required(clientId, 'Client ID');
  const configured = grant === 'refresh_token' ? secretOf(settings, 'refreshToken').trim() : '';
  if (grant === 'refresh_token') required(configured, 'Refresh token');
  const assertion = grant === 'jwt_bearer' ? createAssertion(settings, url, clock, random) : undefined;
  const client = clientAuthentication(settings, clientId);
  const common = given({ scope: textOf(settings, 'scope'), audience: textOf(settings, 'audience') });
  const specific = (refreshToken: string): Record<string, string> => {
    if (assertion)
      return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion() };
    return grant === 'refresh_token'
      ? { grant_type: grant, refresh_token: refreshToken }
      : { grant_type: grant };
  };
  return {
    url,
    grant,
    clientId,
    refreshToken: configured,
    build: (refreshToken) => ({
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        ...client.headers,
      },
      body: new URLSearchParams({ ...specific(refreshToken), ...common, ...client.body }).toString(),
    }),
  };
}

interface ClientAuthentication {
  readonly headers: Record<string, string>;
  readonly body: Record<string, string>;
}

/** RFC 6749 section 2.3.1: in a Basic header both parts are form-encoded first. */
function clientAuthentication(settings: Settings, clientId: string): ClientAuthentication {
  const clientSecret = secretOf(settings, 'clientSecret');
  if (clientId === '') return { headers: {}, body: {} };
  if (clientSecret === '') return { headers: {}, body: { client_id: clientId } };
  if (textOf(settings, 'clientAuth') === 'post') {
    return { headers: {}, body: { client_id: clientId, client_secret: clientSecret } };
  }
  const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
  return { headers: { authorization: `Basic ${Buffer.from(pair, 'ascii').toString('base64')}` }, body: {} };
}

function formEncoded(text: string): string {
  return new URLSearchParams({ v: text }).toString().slice(2);
}

function given(parameters: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== ''));
}
