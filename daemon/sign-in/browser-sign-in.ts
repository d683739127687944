import { PAGE_LEASE_MS, rfc3339 } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { causeOf } from '../platform/log.ts';
import { TIMING } from '../timing.ts';
import { type LoopbackRedirect, redirectUri } from './loopback-redirect.ts';
import { type ResultPage, resultPage } from './result-page.ts';
import { asSignInError, createLifetime, type SignIn, type SignInEdges } from './sign-in.ts';

export type BrowserSignInEdges = SignInEdges & { redirect: LoopbackRedirect };

/**
 * Starts a sign-in by authorization code: one page in a browser on this computer, which returns to `port`.
 *
 * @throws CcwbError ERR_REDIRECT_PORT_TAKEN, ERR_PROVIDER_…
 */
export async function startBrowserSignIn(
  profile: string,
  port: number,
  edges: BrowserSignInEdges,
): Promise<SignIn> {
  const { clock, log } = edges;
  const { url, secrets } = await edges.oidc.startAuthorization(redirectUri(port));
  /** The page for the browser after its return; never rejects. */
  let page: Promise<ResultPage> | undefined;
  const registration = await edges.redirect.register(port, secrets.state, (callback) => {
    // A browser may request the page twice; the code is redeemed once.
    page ??= redeem(callback);
    return page;
  });
  /** Time until which one caller has the task of opening the page; Infinity once it is open, 0 for no caller. */
  let leasedUntil = 0;
  let pagesOpened = 0;

  const life = createLifetime(clock, TIMING.signInLifeMs, () => {
    if (page) return;
    edges.unanswered(pagesOpened);
    life.finish({ error: expired() });
  });
  const stopListening = (): void => void registration.release();
  void life.ended.then(() => {
    if (!page) return stopListening();
    // A prefetching browser or a reload requests the page again.
    void page.then(() => setTimeout(stopListening, TIMING.callbackLingerMs).unref());
  });

  const redeem = async (callback: URL): Promise<ResultPage> => {
    edges.answered();
    try {
      const tokens = await edges.oidc.redeemCode(callback, secrets);
      // A sign-in by code may have been faster. The later tokens are ignored but not revoked: at some
      // providers a revocation would end the other session too.
      if (!life.end) await edges.signedIn(tokens);
      return await edges.successPage(profile);
    } catch (thrown) {
      const error = asSignInError(thrown);
      log('warn', 'sign-in failed', { profile, code: error.code, cause: causeOf(thrown) });
      life.finish({ error });
      return error.code === 'ERR_LOGIN_DENIED'
        ? resultPage({ outcome: 'denied' })
        : resultPage({ outcome: 'failed', message: error.message, fix: error.fix });
    }
  };

  const pageFreeInMs = (): number => {
    if (leasedUntil === Number.POSITIVE_INFINITY) return leasedUntil;
    const leftMs = leasedUntil - clock.now();
    // A lease is never that long, so the clock was set back.
    return leftMs > PAGE_LEASE_MS ? 0 : Math.max(0, leftMs);
  };

  log('info', 'sign-in started', { profile, port });
  return Object.assign(life, {
    reply: (canOpenPage: boolean) => {
      const openPage = canOpenPage && pageFreeInMs() === 0;
      if (openPage) leasedUntil = clock.now() + PAGE_LEASE_MS;
      const { id: signIn, expiresAt } = life;
      return { state: 'pending' as const, signIn, url, openPage, expiresAt: rfc3339(expiresAt) };
    },
    pageFreeInMs,
    pageOpened: (opened: boolean) => {
      leasedUntil = opened ? Number.POSITIVE_INFINITY : 0;
      if (opened) pagesOpened += 1;
      else life.wake();
    },
    cancel: (error: CcwbError) => {
      if (!page) life.finish({ error });
      if (life.end) stopListening();
    },
    settled: async () => {
      if (page) await life.ended;
    },
  });
}

function expired(): CcwbError {
  return new CcwbError(
    'ERR_LOGIN_EXPIRED',
    'nobody completed the sign-in within 5 minutes',
    'run bedrock-auth login',
  );
}
