import { roleSessionName } from '../../daemon/aws/role-federation.ts';
import type { Claims } from '../../daemon/oidc/tokens.ts';
import { otelHeaders } from '../../daemon/telemetry/otel-headers.ts';
import { demoUser } from '../../sandbox/provider/users.ts';
import { Failure } from './failure.ts';
import { mutatedJson } from './json.ts';
import { measured } from './measure.ts';
import type { Target } from './target.ts';

const CLAIMS = {
  ...demoUser.claims,
  sub: demoUser.sub,
  iss: 'https://idp.example',
  'custom:team': ['a', 'b'],
  'cognito:username': 'demo',
  groups: ['x'],
};

/** Claims of a verified ID token, which users may set themselves: they become headers and the name of a session. */
export const claimsTarget: Target = {
  name: 'claims',
  count: 200_000,
  every: 50_000,
  atOnce: 1,
  open: async () => ({
    run: (random) => {
      const text = mutatedJson(CLAIMS, random);
      const claims = claimsIn(text);
      if (!claims) return;
      const headers = otelHeaders(claims, 'generic');
      for (const [name, value] of Object.entries(headers)) {
        // As RFC 9110 5.5 has field values, and without spaces at their ends.
        if (!/^x-[a-z-]+$/.test(name) || !/^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/.test(value))
          throw new Failure(`a header ${name} that is none`, text, value);
      }
      const session = roleSessionName(claims);
      if (!/^[\w+=,.@-]{2,64}$/.test(session))
        throw new Failure('a session name that STS refuses', text, session);
    },
    check: async () => measured(),
    close: async () => {},
  }),
};

/** Claims that would pass verification: an object with a subject. */
function claimsIn(text: string): Claims | undefined {
  try {
    const claims = JSON.parse(text) as Claims | null;
    return typeof claims?.sub === 'string' ? claims : undefined;
  } catch {
    return undefined;
  }
}
