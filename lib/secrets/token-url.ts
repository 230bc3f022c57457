import { badSetting, required } from './settings';

/** The token endpoint as a URL: https, or http on this machine only (RFC 6749 section 3.2, RFC 9700). */
export function parseTokenUrl(text: string): URL {
  required(text, 'Token URL');
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badSetting('Token URL', 'is not an address such as https://login.example.com/oauth2/token');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw badSetting('Token URL', 'must begin with https');
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw badSetting(
      'Token URL',
      'must begin with https: over http everyone on the way could read the client secret',
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw badSetting(
      'Token URL',
      'must not hold a user name or password; use the client ID and client secret',
    );
  }
  if (url.hash !== '') throw badSetting('Token URL', 'must not hold a fragment (#)');
  return url;
}

/** The address without its query, which may hold a secret. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`.slice(0, 300);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
