import { choice, duration, secret, text, type Condition, type Fields } from '../spec';

const OAUTH: Condition = { authKind: ['oauth2'] };
const grant = (...grants: string[]): Condition => ({ ...OAUTH, oauthGrant: grants });

/** OAuth 2.0 (RFC 6749) and JWT bearer (RFC 7523). */
export function oauthFields(): Fields {
  return { ...endpoint(), ...client(), ...refresh(), ...assertion() };
}

const endpoint = (): Fields => ({
  oauthGrant: choice({
    label: 'Grant',
    help: 'How an access token is obtained. Client credentials suit a service account.',
    options: {
      client_credentials: 'Client credentials',
      refresh_token: 'Refresh token',
      jwt_bearer: 'JWT bearer',
    },
    default: 'client_credentials',
    showWhen: OAUTH,
  }),
  tokenUrl: text({
    label: 'Token URL',
    help: 'The address that issues access tokens. It must begin with https, except on this machine.',
    default: '',
    placeholder: 'https://login.example.com/oauth2/token',
    showWhen: OAUTH,
  }),
});

const client = (): Fields => ({
  clientId: text({
    label: 'Client ID',
    help: 'The name under which the authorization server knows Holdfast. JWT bearer can do without.',
    default: '',
    optional: true,
    showWhen: OAUTH,
  }),
  clientSecret: secret({
    label: 'Client secret',
    help: 'The secret that belongs to the client ID. May refer to ${NAME} or file:/run/secrets/name.',
    optional: true,
    showWhen: OAUTH,
  }),
  clientAuth: choice({
    label: 'Client authentication',
    help: 'Whether client ID and secret go into a header or into the form. Some servers accept only one of both.',
    options: { basic: 'Header (Basic)', post: 'Form fields' },
    default: 'basic',
    showWhen: OAUTH,
  }),
  scope: text({
    label: 'Scope',
    help: 'The permissions to ask for, separated by spaces. Empty asks for the default of the server.',
    default: '',
    optional: true,
    showWhen: OAUTH,
  }),
  audience: text({
    label: 'Audience',
    help: 'The API that the token is for, where the server asks for it.',
    default: '',
    optional: true,
    showWhen: grant('client_credentials', 'refresh_token'),
  }),
  refreshAhead: duration({
    label: 'Refresh ahead',
    help: 'How long before its expiry a token is replaced, but never more than half of its lifetime.',
    default: '60s',
    min: '0s',
    max: '1h',
    showWhen: OAUTH,
  }),
});

const refresh = (): Fields => ({
  refreshToken: secret({
    label: 'Refresh token',
    help: 'The token from the first consent. When the server replaces it, Holdfast keeps the new one encrypted.',
    showWhen: grant('refresh_token'),
  }),
});

const assertion = (): Fields => ({
  jwtIssuer: text({
    label: 'JWT issuer',
    help: 'The iss claim: usually the client ID or the e-mail address of the service account.',
    default: '',
    showWhen: grant('jwt_bearer'),
  }),
  jwtSubject: text({
    label: 'JWT subject',
    help: 'The sub claim: the account to act for. Empty uses the issuer.',
    default: '',
    optional: true,
    showWhen: grant('jwt_bearer'),
  }),
  jwtAudience: text({
    label: 'JWT audience',
    help: 'The aud claim. Empty uses the token URL.',
    default: '',
    optional: true,
    showWhen: grant('jwt_bearer'),
  }),
  jwtKey: secret({
    label: 'JWT signing key',
    help: 'The private key as PEM text, or a reference such as file:/run/secrets/jwt.pem.',
    multiline: 'pem',
    showWhen: grant('jwt_bearer'),
  }),
  jwtKeyId: text({
    label: 'JWT key ID',
    help: 'The kid header, where the server asks for it.',
    default: '',
    optional: true,
    showWhen: grant('jwt_bearer'),
  }),
  jwtAlgorithm: choice({
    label: 'JWT algorithm',
    help: 'RS256 and PS256 need an RSA key of at least 2048 bits, ES256 a key on the curve P-256.',
    options: { RS256: 'RS256', ES256: 'ES256', PS256: 'PS256' },
    default: 'RS256',
    showWhen: grant('jwt_bearer'),
  }),
});
