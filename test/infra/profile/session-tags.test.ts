import t from 'tap';
import { claimsOf, SESSION_TAG_VALUE } from '../../../infra/profile/session-tags.ts';
import type { ProviderType } from '../../../protocol/issuer.ts';

/** A `sub` as each type of provider documents it; generic: what OpenID Connect lets one be. */
const SUBJECTS: Readonly<Record<ProviderType, string>> = {
  okta: '00u1a2b3c4D5e6F7g8h9',
  auth0: 'auth0|5f7c8ec7c33c6c004bbafe82',
  azure: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ_-x',
  cognito: '1a2b3c4d-0000-1111-2222-333344445555',
  google: '110169484474386276334',
  generic: "f:1a2b3c4d:o'brien",
};
const TYPES = Object.keys(SUBJECTS) as ProviderType[];

t.test('by default only claims are tagged that STS never refuses', async (t) => {
  for (const type of TYPES) {
    const isPlain = SESSION_TAG_VALUE.test(SUBJECTS[type]);
    t.strictSame(claimsOf(type), isPlain ? { UserId: 'sub' } : {}, type);
  }
});

t.test('names and addresses of real people are not values of a session tag', async (t) => {
  for (const value of ["O'Brien", 'Smith, Jo (Ext)', "jo.o'brien@company.example", 'R&D', 'x'.repeat(257)])
    t.notMatch(value, SESSION_TAG_VALUE, value);
  for (const value of [
    'Zo\u00eb Nu\u00f1ez-L\u00f3pez',
    '\u5c71\u7530 \u592a\u90ce',
    'jo+test@company.example',
    '',
  ])
    t.match(value, SESSION_TAG_VALUE, value);
});

t.test('an administrator can choose the tags', async (t) => {
  t.strictSame(claimsOf('okta', []), {});
  const all = ['UserName', 'UserId', 'UserEmail'] as const;
  t.strictSame(claimsOf('okta', all), { UserEmail: 'email', UserId: 'sub', UserName: 'name' });
  t.strictSame(claimsOf('cognito', ['UserName']), { UserName: 'preferred_username' });
});
