import type { ProfileConfig } from '../../protocol/config.ts';
import { asCcwbError } from '../../protocol/errors.ts';
import type { DaemonEdges } from '../edges.ts';
import type { OidcClient } from '../oidc/oidc-client.ts';
import type { Session } from '../session/session.ts';
import type { LoopbackRedirect } from '../sign-in/loopback-redirect.ts';
import { type ResultPage, resultPage } from '../sign-in/result-page.ts';
import { createSignIns, type SignIns } from '../sign-in/sign-ins.ts';
import type { ProfilesInUse } from './profile.ts';

export type SignInParts = {
  session: Session;
  oidc: OidcClient;
  redirect: LoopbackRedirect;
  profiles: ProfilesInUse;
};

/** Returns the sign-ins of a session. A finished sign-in reaches the session first, then its profiles. */
export function createSessionSignIns(
  { redirectPort }: Pick<ProfileConfig, 'redirectPort'>,
  { session, oidc, redirect, profiles }: SignInParts,
  { clock, log }: Pick<DaemonEdges, 'clock' | 'log'>,
): SignIns {
  return createSignIns(redirectPort, {
    clock,
    log,
    oidc,
    redirect,
    currentUser: async ({ automatic }) => {
      await session.restore();
      const { signedIn, doubtful, user } = session.view();
      // A person who runs "login" while the provider refuses the session wants a new one.
      return signedIn && (automatic || !doubtful) ? user : undefined;
    },
    complete: async (tokens) => {
      await session.completeSignIn(tokens);
      for (const { credentials } of profiles.ofSession(session))
        credentials.onSignIn(tokens.idToken.claims.sub);
      return session.view().user ?? '';
    },
    successPage: (name) => createSuccessPage(name, session, profiles),
  });
}

/** Asks AWS for the profile's first credentials and returns the page that says how that ended. */
async function createSuccessPage(
  name: string,
  session: Session,
  profiles: ProfilesInUse,
): Promise<ResultPage> {
  const user = session.view().user ?? '';
  try {
    await profiles.find(name)?.credentials.getAfterSignIn();
    return resultPage({ outcome: 'signed-in', user, profile: name });
  } catch (error) {
    const { message, fix } = asCcwbError(error);
    return resultPage({ outcome: 'signed-in-without-aws', user, message, fix });
  }
}
