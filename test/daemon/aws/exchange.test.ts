import t from 'tap';
import { type Federation, StaleIdToken } from '../../../daemon/aws/aws-calls.ts';
import { exchangeIdToken } from '../../../daemon/aws/exchange.ts';
import type { IdToken } from '../../../daemon/oidc/tokens.ts';
import { codeOf, fakeClock } from '../../../tools/support/daemon-edges.ts';
import { awsCredentialsFor, idTokenFor } from '../fixtures/tokens.ts';

const clock = fakeClock();
const first = idTokenFor(clock, { sub: 'user-1' });
const second = idTokenFor(clock, { sub: 'user-1' });

/** A session that has these ID tokens to give, and tells which were rejected. */
function sessionOf(tokens: IdToken[], last: () => IdToken | undefined = () => first) {
  const rejected: (IdToken | undefined)[] = [];
  return {
    rejected,
    lastIdToken: last,
    idToken: async (stale?: IdToken) => {
      rejected.push(stale);
      return tokens.shift() ?? first;
    },
  };
}

/** A federation that finds these ID tokens expired. */
function federationOf(...stale: IdToken[]): Federation {
  return {
    credentials: async (idToken) => {
      if (stale.includes(idToken)) throw new StaleIdToken('expired');
      return { ...awsCredentialsFor(clock), sessionToken: idToken.jwt };
    },
  };
}

t.test('an ID token becomes the credentials of its user', async (t) => {
  const session = sessionOf([first]);
  t.match(await exchangeIdToken(session, federationOf()), {
    idToken: first,
    credentials: { sessionToken: first.jwt },
  });
  t.same(session.rejected, [undefined]);
});

t.test('an ID token that AWS finds expired is replaced once', async (t) => {
  const session = sessionOf([first, second]);
  t.match(await exchangeIdToken(session, federationOf(first)), { credentials: { sessionToken: second.jwt } });
  t.same(session.rejected, [undefined, first], 'and the session hears which one AWS rejected');
  const refused = exchangeIdToken(sessionOf([first, second]), federationOf(first, second));
  t.equal(await codeOf(refused), 'ERR_AWS_DENIED');
});

t.test('the credentials are of the user who is signed in at the end', async (t) => {
  const other = idTokenFor(clock, { sub: 'user-2' });
  const session = sessionOf([first, other], () => other);
  t.match(await exchangeIdToken(session, federationOf()), {
    idToken: other,
    credentials: { sessionToken: other.jwt },
  });
});
