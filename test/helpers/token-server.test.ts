import assert from 'node:assert/strict';
import { startTokenServer } from './token-server';

describe('token server of the tests', () => {
  it('refuses a wrong client, a wrong refresh token and an unknown grant', async () => {
    const server = await startTokenServer({ clientId: 'a', clientSecret: 'b' });
    const ask = async (form: Record<string, string>): Promise<unknown> =>
      (await fetch(server.url, { method: 'POST', body: new URLSearchParams(form) })).json();
    const client = { client_id: 'a', client_secret: 'b' };
    assert.deepEqual(await ask({ grant_type: 'client_credentials' }), { error: 'invalid_client' });
    const wrong = { ...client, grant_type: 'refresh_token', refresh_token: 'x' };
    assert.deepEqual(await ask(wrong), { error: 'invalid_grant' });
    assert.deepEqual(await ask({ ...client, grant_type: 'password' }), { error: 'unsupported_grant_type' });
    await server.close();
  });
});
