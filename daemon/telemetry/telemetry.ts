import type { ProfileConfig } from '../../protocol/config.ts';
import { loginRequired } from '../../protocol/errors.ts';
import type { IdToken } from '../oidc/tokens.ts';
import type { Clock } from '../platform/clock.ts';
import type { Session } from '../session/session.ts';
import { headerLifeMs, TIMING } from '../timing.ts';
import { resultWithin } from '../waiting.ts';
import { otelHeaders } from './otel-headers.ts';

/** The telemetry headers of one profile. Never starts a sign-in. */
export type Telemetry = {
  /**
   * Returns the headers from memory. Without a sufficient ID token it waits a short time for a new one.
   *
   * @throws CcwbError ERR_LOGIN_REQUIRED when there is no valid ID token by then.
   */
  headers(): Promise<Record<string, string>>;
  /**
   * Refreshes the ID token if the next one sent could expire before Claude Code calls its helper again. For
   * the scheduler; does nothing unless the headers were requested recently. Never throws.
   */
  refreshIfDue(): Promise<void>;
};

export function createTelemetry(
  { telemetry, identityProvider }: Pick<ProfileConfig, 'telemetry' | 'identityProvider'>,
  session: Pick<Session, 'restore' | 'lastIdToken' | 'idToken'>,
  clock: Clock,
): Telemetry {
  let askedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;

  const valid = (): IdToken | undefined => {
    const last = session.lastIdToken();
    return last && last.expiresAt > clock.now() ? last : undefined;
  };
  /** Returns the time left with which a token is sent without a refresh, in milliseconds. */
  const wantedLifeMs = (token: IdToken | undefined): number =>
    telemetry.sendsIdToken ? headerLifeMs(token?.lifetimeMs) : 0;
  const serves = (token: IdToken | undefined, spareMs = 0): boolean =>
    token !== undefined && token.expiresAt - clock.now() >= wantedLifeMs(token) + spareMs;

  const renew = async (spareMs = 0): Promise<void> => {
    await session.restore();
    const last = valid();
    if (!serves(last, spareMs)) await session.idToken(undefined, wantedLifeMs(last) + spareMs);
  };

  return {
    headers: async () => {
      askedAt = clock.now();
      // Claude Code is blocked during this wait.
      if (!serves(valid())) await resultWithin(TIMING.telemetryWaitMs, renew()).catch(() => {});
      const idToken = valid();
      if (!idToken) throw loginRequired();
      const headers = otelHeaders(idToken.claims, identityProvider.providerType, telemetry.claims);
      return telemetry.sendsIdToken ? { ...headers, authorization: `Bearer ${idToken.jwt}` } : headers;
    },
    refreshIfDue: async () => {
      const now = clock.now();
      if (!telemetry.sendsIdToken || Math.abs(now - askedAt) > TIMING.telemetryInterestMs) return;
      if (serves(valid(), TIMING.telemetryRetryMs) || Math.abs(now - triedAt) < TIMING.telemetryRetryMs)
        return;
      triedAt = now;
      await renew(TIMING.telemetryRetryMs).catch(() => {});
    },
  };
}
