import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MASK, Redactor } from './redact';

function knowing(...secrets: string[]): Redactor {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

describe('secrets: redaction', () => {
  const secret = 'p@ss w/+"ö\\x';

  it('blanks out every form of a secret', () => {
    const redactor = knowing(secret);
    const basic = (user: string): string => Buffer.from(`${user}:${secret}`).toString('base64');
    const forms = [
      secret,
      encodeURIComponent(secret),
      new URLSearchParams({ s: secret }).toString().slice(2),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('base64url'),
    ];
    for (const form of forms) {
      const out = redactor.redact(`<${form}> and [${form}]`);
      assert.equal(out.split(MASK).length, 3, form);
      assert.ok(!out.includes(form), form);
    }
    for (const user of ['a', 'ab', 'abc', 'operator']) {
      const out = redactor.redact(`sent Basic ${basic(user)} to it`);
      assert.ok(out.includes(MASK) && !Buffer.from(out, 'base64').includes('p@ss'), user);
    }
  });

  it('leaves no secret in any text', () => {
    const word = fc.string({ minLength: 4, maxLength: 12, unit: 'binary' });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), fc.string(), (secrets, around) => {
        // A secret that is part of the mask would be found in every result.
        const usable = secrets.filter((one) => !one.includes('•'));
        const out = knowing(...usable).redact(around + usable.join(around) + around);
        return usable.every((one) => around.includes(one) || !out.includes(one));
      }),
    );
  });

  it('prefers the longer of two secrets that start alike', () => {
    assert.equal(knowing('abcd', 'abcdefgh').redact('abcdefgh abcd'), `${MASK} ${MASK}`);
  });

  it('knows a secret until its last owner removes it', () => {
    const redactor = knowing(secret, secret);
    redactor.remove(secret);
    assert.equal(redactor.redact(secret), MASK);
    redactor.remove(secret);
    redactor.remove(secret);
    assert.equal(redactor.redact(secret), secret);
    assert.equal(redactor.size, 0);
  });

  it('leaves short texts alone, and is bounded in number', () => {
    assert.equal(knowing('', 'a', 'abc').redact('abc'), 'abc');
    const many = knowing(...Array.from({ length: 2_500 }, (_, i) => `secret-${i}-`));
    assert.equal(many.size, 2_000);
    assert.equal(many.redact('secret-2499-'), MASK);
  });

  it('blanks out credentials of well-known shape that nobody registered', () => {
    const redactor = new Redactor();
    assert.equal(redactor.redact('Authorization: Bearer abc.def'), `Authorization: Bearer ${MASK}`);
    assert.equal(redactor.redact('{"authorization":"Basic YTpi"}'), `{"authorization":"Basic ${MASK}"}`);
    assert.equal(redactor.redact('got bearer eyJhbGciOi.x.y back'), `got bearer ${MASK} back`);
    assert.equal(redactor.redact('pg://me:s3c@ret@db/x'), `pg://me:${MASK}@db/x`);
    assert.equal(redactor.redact('GET /a?token=xyz&b=1'), `GET /a?token=${MASK}&b=1`);
    const harmless = 'Basic settings of http://plc1:502/a@b and the bearer of news';
    assert.equal(redactor.redact(harmless), harmless);
  });

  it('blanks out single lines of a key file', () => {
    const line = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC';
    const redactor = knowing(`-----BEGIN PRIVATE KEY-----\n${line}\n-----END PRIVATE KEY-----\n`);
    assert.equal(redactor.redact(`bad line "${line}"`), `bad line "${MASK}"`);
    assert.equal(redactor.redact('-----BEGIN PRIVATE KEY-----'), '-----BEGIN PRIVATE KEY-----');
  });

  it('copies nested data, also cyclic, deep and hostile data', () => {
    const redactor = knowing('canary');
    const cyclic: Record<string, unknown> = { text: 'a canary', list: [{ canary: 1 }, 2, null] };
    cyclic['self'] = cyclic;
    assert.deepEqual(redactor.redactDeep(cyclic), {
      text: `a ${MASK}`,
      list: [{ [MASK]: 1 }, 2, null],
      self: '…',
    });
    const error = Object.assign(new Error('canary here', { cause: new Error('canary') }), { code: 'E' });
    const copy = redactor.redactDeep({ error });
    assert.deepEqual(copy, {
      error: { name: 'Error', message: `${MASK} here`, code: 'E', cause: { name: 'Error', message: MASK } },
    });
    const hostile = redactor.redactDeep(JSON.parse('{"__proto__":{"polluted":"canary"}}'));
    assert.equal(JSON.stringify(hostile), `{"__proto__":{"polluted":"${MASK}"}}`);
    let deep: unknown = 'canary';
    for (let i = 0; i < 100_000; i += 1) deep = [deep];
    assert.ok(JSON.stringify(redactor.redactDeep(deep)).includes('…'));
  });
});
