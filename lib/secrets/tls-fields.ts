import { choice, secret, text, type Fields } from '../spec';

/** The TLS settings of a connection; `buildTls` turns their values into options. */
export function tlsFields(): Fields {
  return {
    tlsCa: text({
      label: 'CA certificates',
      help:
        'The authorities that may vouch for the server, as PEM text or the path of a PEM file. Empty trusts the ' +
        'public authorities that Node.js knows.',
      default: '',
      optional: true,
      multiline: 'pem',
    }),
    tlsCert: text({
      label: 'Client certificate',
      help: 'The certificate (with its chain) that Holdfast shows, as PEM text or the path of a PEM file.',
      default: '',
      optional: true,
      multiline: 'pem',
    }),
    tlsKey: secret({
      label: 'Client key',
      help: 'The private key of the client certificate, as PEM text or the path of a PEM file.',
      optional: true,
      multiline: 'pem',
    }),
    tlsPassphrase: secret({
      label: 'Key passphrase',
      help: 'The passphrase of an encrypted client key.',
      optional: true,
    }),
    tlsMinVersion: choice({
      label: 'Minimum TLS version',
      help: 'Older versions than TLS 1.2 are broken and not offered.',
      options: { 'TLSv1.2': 'TLS 1.2', 'TLSv1.3': 'TLS 1.3' },
      default: 'TLSv1.2',
    }),
    tlsServerName: text({
      label: 'Server name',
      help: 'The name that the certificate of the server must carry, where it differs from the host name.',
      default: '',
      optional: true,
      maxLength: 253,
    }),
    tlsVerify: choice({
      label: 'Certificate check',
      help:
        'Without the check anyone on the network can pretend to be the server and read the credentials. The ' +
        'connection then shows as degraded, and every start is logged as a warning.',
      options: { full: 'Full', none: 'None (insecure)' },
      default: 'full',
    }),
  };
}
