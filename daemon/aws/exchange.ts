import { CcwbError } from '../../protocol/errors.ts';
import type { IdToken } from '../oidc/tokens.ts';
import type { Session } from '../session/session.ts';
import { type AwsCredentials, type Federation, StaleIdToken } from './aws-calls.ts';

/** AWS credentials, and the ID token that AWS gave them for. */
export type Exchanged = { credentials: AwsCredentials; idToken: IdToken };

/**
 * Exchanges the session's ID token for AWS credentials of the user who is signed in when it resolves.
 *
 * @throws CcwbError
 */
export async function exchangeIdToken(
  session: Pick<Session, 'idToken' | 'lastIdToken'>,
  federation: Federation,
): Promise<Exchanged> {
  const exchanged = await exchangeOnce(session, federation);
  if (session.lastIdToken()?.claims.sub === exchanged.idToken.claims.sub) return exchanged;
  // Another user signed in meanwhile.
  return exchangeOnce(session, federation);
}

/** Exchanges the ID token, and a new one if AWS finds the first expired. */
async function exchangeOnce(session: Pick<Session, 'idToken'>, federation: Federation): Promise<Exchanged> {
  const idToken = await session.idToken();
  try {
    return { credentials: await federation.credentials(idToken), idToken };
  } catch (error) {
    if (!(error instanceof StaleIdToken)) throw error;
  }
  const renewed = await session.idToken(idToken);
  try {
    return { credentials: await federation.credentials(renewed), idToken: renewed };
  } catch (error) {
    if (!(error instanceof StaleIdToken)) throw error;
    throw new CcwbError(
      'ERR_AWS_DENIED',
      'AWS calls a new ID token expired',
      'check the clock of this computer, then run bedrock-auth login',
      { cause: error },
    );
  }
}
