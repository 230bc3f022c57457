import { choice, duration, int, list, secret, table, text } from '../../lib/spec';

/** Largest answer of the health path, in bytes: more than any health report needs. */
export const HEALTH_LIMIT = 1_048_576;

const HEADER_NAME = { source: "[!#$%&'*+.^_`|~0-9A-Za-z\\-]+", what: 'a header name such as X-Plant' };

export const fields = {
  baseUrl: text({
    label: 'Base URL',
    help: 'Scheme, host, port and the path before every request path. No request of this connection leaves its origin.',
    default: '',
    placeholder: 'https://api.example.com/v1',
    maxLength: 2000,
    pattern: { source: 'https?://[^\\s?#@]+', what: 'an address such as https://api.example.com' },
  }),
  headers: table({
    label: 'Default headers',
    help: 'Sent with every request. Credentials belong under Authentication, where they are encrypted.',
    columns: {
      name: text({
        label: 'Header',
        help: 'Name of the header.',
        default: '',
        maxLength: 200,
        pattern: HEADER_NAME,
      }),
      value: text({
        label: 'Value',
        help: 'Text of the header.',
        default: '',
        optional: true,
        maxLength: 8000,
      }),
    },
    default: [],
    maxRows: 100,
    unique: ['name'],
  }),
  maxSockets: int({
    label: 'Open connections',
    help: 'Most TCP connections to the server at the same time; they are kept and reused.',
    default: 32,
    min: 1,
    max: 1024,
  }),
  idleTimeout: duration({
    label: 'Keep idle connections for',
    help: 'Must be shorter than the server keeps them, or a request can meet a connection that is just being closed.',
    default: '4s',
    min: '1ms',
    max: '10m',
  }),
  healthPath: text({
    label: 'Health path',
    help: 'Asked to see whether the server works. When empty, only the TCP and TLS connection is checked.',
    default: '',
    optional: true,
    maxLength: 2000,
    placeholder: '/health',
  }),
  healthMethod: choice({
    label: 'Health method',
    help: 'HEAD asks for no content; some servers answer only GET.',
    default: 'GET',
    options: { GET: 'GET', HEAD: 'HEAD' },
  }),
  redirectOrigins: list({
    label: 'Redirect origins',
    help: 'Other origins that a redirect may lead to. They get no credential, cookie, own header or certificate.',
    default: [],
    optional: true,
    maxItems: 50,
  }),
  proxyUrl: text({
    label: 'Proxy',
    help: 'Address of a web proxy. Requests to https addresses go through it unread. Environment variables are not used.',
    default: '',
    optional: true,
    placeholder: 'http://proxy.example.com:3128',
    maxLength: 2000,
  }),
  proxyUsername: text({
    label: 'Proxy user name',
    help: 'Only for proxies that ask for one.',
    default: '',
    optional: true,
    maxLength: 500,
  }),
  proxyPassword: secret({
    label: 'Proxy password',
    help: 'May refer to ${NAME} or to a file as file:/run/secrets/name.',
    optional: true,
  }),
};
