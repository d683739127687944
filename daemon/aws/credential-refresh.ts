import { asCcwbError, type CcwbError, loginRequired } from '../../protocol/errors.ts';
import type { IdToken } from '../oidc/tokens.ts';
import type { Clock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import type { Session } from '../session/session.ts';
import { createSharedCall } from '../shared-call.ts';
import type { AwsCredentials, Federation } from './aws-calls.ts';
import { exchangeIdToken } from './exchange.ts';
import { createRefreshFailures, type RefreshFailures } from './refresh-failures.ts';
import { isUsable } from './refresh-policy.ts';

/** The AWS credentials of one profile in memory, and the one refresh that replaces them. */
export type CredentialRefresh = {
  /** The credentials in memory, even if they have expired. */
  current(): AwsCredentials | undefined;
  /** The credentials in memory while they outlast their way to the caller. */
  usable(): AwsCredentials | undefined;
  readonly failures: Pick<RefreshFailures, 'problem' | 'isBackingOff' | 'notBefore' | 'endBackOff'>;
  /**
   * Returns credentials that AWS gave for the session's last ID token: those in memory, else refreshed ones.
   *
   * @throws CcwbError
   */
  ofLastIdToken(): Promise<AwsCredentials>;
  /** Refreshes now, shared with all concurrent callers. @throws CcwbError */
  run(): Promise<AwsCredentials>;
  clear(): void;
  onSignIn(sub: string): void;
  onSignOut(): void;
};

export function createCredentialRefresh(
  profile: string,
  session: Session,
  federation: Federation,
  edges: { clock: Clock; log: Log; random(): number },
): CredentialRefresh {
  const { clock, log } = edges;
  const failures = createRefreshFailures(edges);
  let current: AwsCredentials | undefined;
  /** The ID token that AWS gave `current` for. */
  let source: IdToken | undefined;

  const usable = (): AwsCredentials | undefined => (isUsable(current, clock.now()) ? current : undefined);

  /** Creates the refresh of one sign-in. After a sign-out its result is ignored. */
  const createRefresh = (): (() => Promise<AwsCredentials>) => {
    const own = createSharedCall(async (): Promise<AwsCredentials> => {
      const startedAt = clock.now();
      try {
        const { credentials, idToken } = await exchangeIdToken(session, federation);
        if (refresh !== own) throw loginRequired();
        current = credentials;
        source = idToken;
        failures.clear();
        const keyId = credentials.accessKeyId.slice(-4);
        const durationMs = clock.now() - startedAt;
        log('info', 'credentials refreshed', { profile, keyId, lifeMs: credentials.lifetimeMs, durationMs });
        return credentials;
      } catch (thrown) {
        const error = asCcwbError(thrown);
        if (refresh === own) countFailure(error, thrown);
        throw error;
      }
    });
    return own;
  };
  let refresh = createRefresh();

  const countFailure = (error: CcwbError, thrown: unknown): void => {
    // A missing sign-in is no fault: the first refresh after it must not wait for a back-off.
    if (error.code === 'ERR_LOGIN_REQUIRED') return;
    const retryMs = failures.add(error, usable() !== undefined);
    log('warn', 'credentials not refreshed', { profile, code: error.code, cause: causeOf(thrown), retryMs });
  };

  return {
    current: () => current,
    usable,
    failures,
    ofLastIdToken: async () =>
      (source !== undefined && source === session.lastIdToken() ? usable() : undefined) ?? refresh(),
    run: () => refresh(),
    clear: () => {
      current = undefined;
    },
    onSignIn: (sub) => {
      if (source?.claims.sub !== sub) current = undefined;
      failures.clear();
    },
    onSignOut: () => {
      refresh = createRefresh();
      current = undefined;
      failures.clear();
    },
  };
}
