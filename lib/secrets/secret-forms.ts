const SHORTEST = 4;
/** Lines of a PEM body; its first lines already identify the key. */
const MOST_LINES = 200;

/** The shapes in which a secret can turn up in a text: itself, URL-encoded, JSON-escaped, base64, its lines. */
export function secretForms(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const forms = [
    secret,
    urlEncoded(secret),
    urlEncoded(secret).replace(/%20/g, '+'),
    new URLSearchParams({ s: secret }).toString().slice(2),
    JSON.stringify(secret).slice(1, -1),
    ...base64Forms(bytes),
    ...lines(secret),
  ];
  return [...new Set(forms.filter((form) => form.length >= SHORTEST))];
}

/** Through a buffer, because encodeURIComponent throws on a lone surrogate. */
function urlEncoded(text: string): string {
  return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
}

/**
 * Base64 of the secret at each of the three positions it can have inside a longer text (`user:secret`), without
 * the border characters that depend on its neighbours; in both alphabets.
 */
function base64Forms(bytes: Buffer): string[] {
  const forms: string[] = [];
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const start = before === 0 ? 0 : before + 1;
    const end = Math.floor(((before + bytes.length) * 8) / 6);
    const core = padded.slice(start, end);
    if (core.length > SHORTEST) forms.push(core, core.replace(/\+/g, '-').replace(/\//g, '_'));
  }
  return forms;
}

/** Tools quote single lines of a key file. Lines such as BEGIN and END are no secret. */
function lines(secret: string): string[] {
  if (!secret.includes('\n')) return [];
  return secret
    .split(/\r?\n/, MOST_LINES)
    .map((line) => line.trim())
    .filter((line) => line.length >= 16 && !line.startsWith('-----'));
}
