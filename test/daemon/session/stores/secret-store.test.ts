import t from 'tap';
import { parseStoredSession } from '../../../../daemon/session/stores/secret-store.ts';
import { storedSession } from '../../fixtures/memory-store.ts';

t.test('a stored session is read back as it was', async (t) => {
  const session = storedSession('rt-1');
  t.same(parseStoredSession(JSON.stringify(session)), session);
  t.same(parseStoredSession(JSON.stringify({ ...session, user: null })), { ...session, user: null });
});

t.test('text that no version of this program wrote is ignored', async (t) => {
  const session = storedSession('rt-1');
  const texts = [
    '',
    'null',
    '7',
    '[]',
    '{}',
    '{"version":1',
    JSON.stringify({ ...session, version: 2 }),
    JSON.stringify({ ...session, version: '1' }),
    JSON.stringify({ ...session, refreshToken: undefined }),
    JSON.stringify({ ...session, refreshToken: 7 }),
    JSON.stringify({ ...session, refreshToken: '' }),
    JSON.stringify({ ...session, subject: null }),
  ];
  for (const text of texts) t.equal(parseStoredSession(text), undefined, text);
});

t.test('a user that is not text becomes null, and unknown fields are dropped', async (t) => {
  const session = storedSession('rt-1');
  t.same(parseStoredSession(JSON.stringify({ ...session, user: 7, extra: 'x' })), { ...session, user: null });
});
