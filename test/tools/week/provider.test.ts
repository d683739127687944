import t from 'tap';
import { createSigningKey } from '../../../sandbox/provider/signing-keys.ts';
import { HOUR, SECOND } from '../../../tools/week/plan.ts';
import { CLIENT_ID, createProvider } from '../../../tools/week/provider.ts';

const keys = await Promise.all([createSigningKey(), createSigningKey()]);

function open() {
  let now = Date.UTC(2026, 9, 19);
  const provider = createProvider(() => now, keys);
  const spend = async (refreshToken: string) => {
    const form = { grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: refreshToken };
    const { status, body } = await provider.token(new URLSearchParams(form));
    return { status, ...(body as { error?: string; refresh_token?: string; id_token?: string }) };
  };
  return {
    provider,
    spend,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

t.test('a refresh token is replaced at each use', async (t) => {
  const { provider, spend } = open();
  const first = provider.signIn();
  const { status, refresh_token: second = '' } = await spend(first);
  t.equal(status, 200);
  t.not(second, first);
  t.equal((await spend(second)).status, 200);
  t.match(provider.counts, { grants: 2, repeats: 0, reuses: 0, refused: 0 });
});

t.test('a spent one is taken again within the grace, counted from its first use', async (t) => {
  const { provider, spend, pass } = open();
  const first = provider.signIn();
  await spend(first);
  pass(20 * SECOND);
  t.equal((await spend(first)).status, 200);
  pass(11 * SECOND);
  t.match(await spend(first), { status: 400, error: 'invalid_grant' });
  t.match(provider.counts, { grants: 2, repeats: 1, reuses: 1 });
});

t.test('a use after the grace ends the session', async (t) => {
  const { provider, spend, pass } = open();
  const first = provider.signIn();
  const { refresh_token: second = '' } = await spend(first);
  pass(31 * SECOND);
  await spend(first);
  t.match(await spend(second), { status: 400, error: 'invalid_grant' });
  t.match(await spend('made up'), { status: 400, error: 'invalid_grant' });
  t.match(await spend(provider.signIn()), { status: 200 }, 'and no other one');
});

t.test('a new key signs at once, the one before stays published for a while', async (t) => {
  const { provider, spend, pass } = open();
  const kids = () => provider.jwks().keys.map(({ kid }) => kid);
  t.same(kids(), [keys[0]?.kid]);
  provider.rotateKeys();
  t.same(kids(), [keys[0]?.kid, keys[1]?.kid]);
  const { id_token: idToken = '' } = await spend(provider.signIn());
  const header = Buffer.from(idToken.split('.')[0] ?? '', 'base64url').toString();
  t.match(JSON.parse(header), { alg: 'RS256', kid: keys[1]?.kid });
  pass(2 * HOUR);
  t.same(kids(), [keys[1]?.kid]);
});
