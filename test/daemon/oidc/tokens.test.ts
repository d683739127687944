import t from 'tap';
import { displayName } from '../../../daemon/oidc/tokens.ts';

const claims = (change: Record<string, unknown>) => ({ sub: 'user-1', iat: 100, exp: 3_700, ...change });

t.test('a user is named by e-mail, else by name, else by subject', async (t) => {
  t.equal(displayName(claims({ email: 'a@b.example', preferred_username: 'p', name: 'n' })), 'a@b.example');
  t.equal(displayName(claims({ email: '', preferred_username: 'p', name: 'n' })), 'p');
  t.equal(displayName(claims({ email: 7, name: 'n' })), 'n');
  t.equal(displayName(claims({})), 'user-1');
});
