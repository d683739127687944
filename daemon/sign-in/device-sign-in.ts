import { rfc3339 } from '../../protocol/api.ts';
import type { CcwbError } from '../../protocol/errors.ts';
import { codeExpired, type DevicePoll } from '../oidc/device-grant.ts';
import { causeOf } from '../platform/log.ts';
import { TIMING } from '../timing.ts';
import { asSignInError, createLifetime, type SignIn, type SignInEdges } from './sign-in.ts';

/**
 * A sign-in by device authorization (RFC 8628): a code that a person enters in a browser anywhere, while
 * the daemon asks the provider at its interval whether they have.
 *
 * @returns undefined when the provider offers no such grant.
 * @throws CcwbError ERR_PROVIDER_…
 */
export async function startDeviceSignIn(profile: string, edges: SignInEdges): Promise<SignIn | undefined> {
  const { clock, log, oidc } = edges;
  const device = await oidc.startDeviceAuthorization();
  if (!device) return undefined;
  let { intervalMs } = device;
  /** Passing faults in a row. */
  let faults = 0;
  let timer: NodeJS.Timeout | undefined;
  let polling: Promise<void> | undefined;
  /** Came while tokens may have been on their way. */
  let cancelled: CcwbError | undefined;

  const expire = (): void => {
    if (life.end) return;
    edges.unanswered(1);
    life.finish({ error: codeExpired() });
  };
  const life = createLifetime(clock, device.lifeMs, () => {
    if (!polling) expire();
  });
  void life.ended.then(() => clearTimeout(timer));

  const fail = (thrown: unknown): void => {
    const error = asSignInError(thrown);
    log('warn', 'sign-in failed', { profile, code: error.code, cause: causeOf(thrown) });
    if (error.code === 'ERR_LOGIN_EXPIRED') edges.unanswered(1);
    if (error.code === 'ERR_LOGIN_DENIED') edges.answered();
    life.finish({ error });
  };

  /** The provider's answer; undefined when it was a passing fault, which costs nothing but time. */
  const ask = async (): Promise<DevicePoll | undefined> => {
    try {
      const answer = await oidc.pollDeviceToken(device.deviceCode);
      faults = 0;
      return answer;
    } catch (thrown) {
      const error = asSignInError(thrown);
      if (!error.retryable) throw thrown;
      faults += 1;
      log('warn', 'sign-in not polled', { profile, code: error.code, cause: causeOf(thrown) });
      return undefined;
    }
  };

  const poll = async (): Promise<void> => {
    try {
      const answer = await ask();
      if (answer && 'tokens' in answer) {
        edges.answered();
        // A sign-in in the browser may have been faster; see there.
        if (life.end) return;
        await edges.signedIn(answer.tokens);
        // Nobody sees this page, but the first AWS credentials are there when it is made.
        edges.successPage(profile).catch(() => {});
        return;
      }
      if (answer?.slowDown) intervalMs += TIMING.deviceSlowDownMs;
    } catch (thrown) {
      return fail(thrown);
    }
    if (cancelled) life.finish({ error: cancelled });
    else if (clock.now() >= life.expiresAt) expire();
    if (!life.end) pollLater();
  };

  const pollLater = (): void => {
    timer = setTimeout(
      () => {
        life.expireIfOver();
        if (life.end) return;
        polling = poll().finally(() => {
          polling = undefined;
        });
      },
      pollDelayMs(intervalMs, faults),
    );
    timer.unref();
  };

  pollLater();
  log('info', 'sign-in by code started', { profile, host: new URL(device.verificationUri).host });
  const { userCode, verificationUri, verificationUriComplete = null } = device;
  return Object.assign(life, {
    reply: () => ({
      state: 'pending' as const,
      signIn: life.id,
      url: verificationUri,
      device: { userCode, verificationUriComplete },
      openPage: false,
      expiresAt: rfc3339(life.expiresAt),
    }),
    pageFreeInMs: () => Number.POSITIVE_INFINITY,
    pageOpened: () => {},
    cancel: (error: CcwbError) => {
      if (polling) cancelled = error;
      else life.finish({ error });
    },
    settled: async () => {
      await polling;
    },
  });
}

/**
 * Until the next poll: the provider's interval, doubled with each passing fault in a row (RFC 8628 3.5).
 */
export function pollDelayMs(intervalMs: number, faults: number): number {
  const backedOff = Math.min(intervalMs * 2 ** faults, TIMING.deviceBackOffMs);
  return Math.max(intervalMs, backedOff);
}
