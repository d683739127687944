import { rfc3339 } from '../../protocol/api.ts';
import type { CcwbError } from '../../protocol/errors.ts';
import { codeExpired, type DeviceAuthorization, type DevicePoll } from '../oidc/device-grant.ts';
import { causeOf } from '../platform/log.ts';
import { TIMING } from '../timing.ts';
import { asSignInError, createLifetime, type SignIn, type SignInEdges } from './sign-in.ts';

/**
 * Starts a sign-in by device authorization (RFC 8628): a person enters a code in any browser, and the daemon
 * polls the provider for the tokens.
 *
 * @returns undefined when the provider does not offer this grant.
 * @throws CcwbError ERR_PROVIDER_…
 */
export async function startDeviceSignIn(profile: string, edges: SignInEdges): Promise<SignIn | undefined> {
  const device = await edges.oidc.startDeviceAuthorization();
  return device && createDeviceSignIn(profile, device, edges);
}

function createDeviceSignIn(profile: string, device: DeviceAuthorization, edges: SignInEdges): SignIn {
  const { clock, log } = edges;
  const poller = createDevicePoller(profile, device, edges);
  let timer: NodeJS.Timeout | undefined;
  let polling: Promise<void> | undefined;
  /** The error of a cancellation that came while a poll was in progress. */
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

  const poll = async (): Promise<void> => {
    try {
      const answer = await poller.poll();
      if (answer && 'tokens' in answer) {
        edges.answered();
        // A sign-in in the browser may have been faster. These tokens are ignored: see browser-sign-in.ts.
        if (life.end) return;
        await edges.signedIn(answer.tokens);
        // This page is shown to nobody, but making it fetches the first AWS credentials.
        edges.successPage(profile).catch(() => {});
        return;
      }
    } catch (thrown) {
      return fail(thrown);
    }
    if (cancelled) life.finish({ error: cancelled });
    else if (clock.now() >= life.expiresAt) expire();
    if (!life.end) pollLater();
  };

  const pollLater = (): void => {
    timer = setTimeout(() => {
      life.expireIfOver();
      if (life.end) return;
      polling = poll().finally(() => {
        polling = undefined;
      });
    }, poller.delayMs());
    timer.unref();
  };

  pollLater();
  log('info', 'sign-in by code started', { profile, host: new URL(device.verificationUri).host });
  return Object.assign(life, {
    reply: () => replyOf(device, life),
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

function replyOf(device: DeviceAuthorization, { id, expiresAt }: { id: string; expiresAt: number }) {
  const { userCode, verificationUri, verificationUriComplete = null } = device;
  return {
    state: 'pending' as const,
    signIn: id,
    url: verificationUri,
    device: { userCode, verificationUriComplete },
    openPage: false,
    expiresAt: rfc3339(expiresAt),
  };
}

/** Polls for the tokens of one code, more slowly after passing faults or when the provider demands it. */
type DevicePoller = {
  /**
   * Returns the provider's answer; undefined after a passing fault, which only costs time.
   *
   * @throws CcwbError for any other fault.
   */
  poll(): Promise<DevicePoll | undefined>;
  /** Returns the time until the next poll, in milliseconds. */
  delayMs(): number;
};

function createDevicePoller(
  profile: string,
  device: DeviceAuthorization,
  { oidc, log }: Pick<SignInEdges, 'oidc' | 'log'>,
): DevicePoller {
  let { intervalMs } = device;
  /** The number of passing faults in a row. */
  let faults = 0;
  return {
    poll: async () => {
      try {
        const answer = await oidc.pollDeviceToken(device);
        faults = 0;
        if ('slowDown' in answer && answer.slowDown) intervalMs += TIMING.deviceSlowDownMs;
        return answer;
      } catch (thrown) {
        const error = asSignInError(thrown);
        if (!error.retryable) throw thrown;
        faults += 1;
        log('warn', 'sign-in not polled', { profile, code: error.code, cause: causeOf(thrown) });
        return undefined;
      }
    },
    delayMs: () => pollDelayMs(intervalMs, faults),
  };
}

/** Returns the time until the next poll: the interval, doubled with each passing fault in a row (RFC 8628 3.5). */
export function pollDelayMs(intervalMs: number, faults: number): number {
  const backedOff = Math.min(intervalMs * 2 ** faults, TIMING.deviceBackOffMs);
  return Math.max(intervalMs, backedOff);
}
