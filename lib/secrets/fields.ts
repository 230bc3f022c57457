import { choice, secret, text, type Condition, type Field, type Fields } from '../spec';
import { oauthFields } from './oauth-fields';
import type { AuthKind } from './types';

export { tlsFields } from './tls-fields';

const KIND_LABELS: Readonly<Record<AuthKind, string>> = {
  none: 'None',
  basic: 'User name and password',
  bearer: 'Bearer token',
  apiKey: 'API key',
  oauth2: 'OAuth 2.0',
  certificate: 'Client certificate',
};

const when = (kind: AuthKind): { showWhen: Condition } => ({ showWhen: { authKind: [kind] } });

const BASIC: Fields = {
  username: text({
    label: 'User name',
    help: 'The account that Holdfast logs in with. May refer to an environment variable as ${NAME}.',
    default: '',
    ...when('basic'),
  }),
  password: secret({
    label: 'Password',
    help: 'The password of the account. May refer to ${NAME} or to a file as file:/run/secrets/name.',
    optional: true,
    ...when('basic'),
  }),
};

const BEARER: Fields = {
  token: secret({
    label: 'Token',
    help: 'Sent with every request as "Authorization: Bearer". May refer to ${NAME} or file:/run/secrets/name.',
    ...when('bearer'),
  }),
};

const API_KEY: Fields = {
  apiKeyName: text({
    label: 'API key name',
    help: 'The name of the header or of the query parameter that carries the key.',
    default: 'X-API-Key',
    maxLength: 100,
    ...when('apiKey'),
  }),
  apiKeyIn: choice({
    label: 'API key place',
    help: 'A header is safer: addresses, and with them query parameters, end in the logs of servers and proxies.',
    options: { header: 'Header', query: 'Query parameter' },
    default: 'header',
    ...when('apiKey'),
  }),
  apiKeyValue: secret({
    label: 'API key',
    help: 'The key itself. May refer to ${NAME} or to a file as file:/run/secrets/name.',
    ...when('apiKey'),
  }),
};

const BUNDLES: Readonly<Partial<Record<AuthKind, () => Fields>>> = {
  basic: () => BASIC,
  bearer: () => BEARER,
  apiKey: () => API_KEY,
  oauth2: oauthFields,
};

/**
 * The credential fields of a connection that offers `kinds`; the first is the default. A client certificate has
 * no fields of its own: it uses those of `tlsFields`.
 */
export function authFields(kinds: readonly AuthKind[]): Fields {
  const [first] = kinds;
  if (first === undefined) return {};
  const fields: Record<string, Field> = {
    authKind: choice({
      label: 'Authentication',
      help: 'How Holdfast proves to the system who it is. Passwords, keys and tokens are kept encrypted.',
      options: Object.fromEntries(kinds.map((kind) => [kind, KIND_LABELS[kind]])),
      default: first,
    }),
  };
  for (const kind of kinds) Object.assign(fields, BUNDLES[kind]?.());
  return fields;
}
