import assert from 'node:assert/strict';
import type { Fields } from '../spec';
import { authFields, tlsFields } from './fields';
import { AUTH_KINDS } from './types';

const SECRET = /password|passphrase|^token$|secret$|apiKeyValue|refreshToken|jwtKey$|tlsKey/i;

function checkTexts(fields: Fields): void {
  for (const [name, field] of Object.entries(fields)) {
    assert.match(field.label, /^[A-Z][^.]*$/, name);
    assert.match(field.help, /^[A-Z].*\.$/, name);
    assert.equal(field.kind === 'secret', SECRET.test(name), name);
    for (const other of Object.keys(field.showWhen ?? {}))
      assert.ok(other in fields, `${name} depends on ${other}`);
  }
}

describe('secrets: form fields', () => {
  it('offers only the given kinds, the first as default', () => {
    const fields = authFields(['basic', 'none']);
    const { authKind } = fields;
    assert.ok(authKind?.kind === 'choice');
    assert.deepEqual(Object.keys(authKind.options), ['basic', 'none']);
    assert.equal(authKind.default, 'basic');
    assert.deepEqual(Object.keys(fields), ['authKind', 'username', 'password']);
    assert.deepEqual(authFields([]), {});
  });

  it('shows each field only with its kind, keeps secrets secret and texts in shape', () => {
    const fields = { ...authFields(AUTH_KINDS), ...tlsFields() };
    checkTexts(fields);
    for (const [name, field] of Object.entries(authFields(AUTH_KINDS))) {
      if (name !== 'authKind') assert.ok(field.showWhen?.['authKind'], name);
    }
    assert.deepEqual(fields['refreshToken']?.showWhen, {
      authKind: ['oauth2'],
      oauthGrant: ['refresh_token'],
    });
  });
});
