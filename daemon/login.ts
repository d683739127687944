import { randomUUID } from 'node:crypto';
import { PAGE_LEASE_MS, rfc3339, type SignInReply, type SignInRequest } from '../protocol/api.ts';
import { asCcwbError, CcwbError } from '../protocol/errors.ts';
import type { Clock } from './clock.ts';
import { causeOf, type Log } from './log.ts';
import { type LoopbackRedirect, redirectUri } from './loopback-redirect.ts';
import type { IdToken, OidcClient, Tokens } from './oidc-client.ts';
import { type ResultPage, resultPage } from './result-page.ts';
import { sharedCall } from './shared-call.ts';
import { TIMING } from './timing.ts';
import { type Event, event, happensWithin } from './waiting.ts';

/** The sign-ins of one session: at most one under way, which all callers join. */
export type SignIns = {
  /**
   * Starts a sign-in or joins the one under way.
   *
   * @param profile whom it is for; names it in the log and on the final page.
   * @throws CcwbError ERR_LOGIN_CAPPED, ERR_REDIRECT_PORT_TAKEN, ERR_PROVIDER_…
   */
  start(profile: string, request: SignInRequest): Promise<SignInReply>;
  /**
   * Waits for the end of a sign-in, or for the task of opening its page when the caller can.
   *
   * @returns undefined when this session had no such sign-in.
   * @throws CcwbError why the sign-in failed.
   */
  wait(
    id: string,
    options: { waitMs: number; canOpenPage: boolean; signal: AbortSignal },
  ): Promise<SignInReply | undefined>;
  /** The caller opened the page, or could not. False when there is no such sign-in under way. */
  pageOpened(id: string, opened: boolean): boolean;
  /**
   * Ends the sign-in under way; those who wait get `error`. Once the browser has come back it ends by
   * itself, soon: see {@link SignIns.settled}.
   */
  cancel(error: CcwbError): void;
  /** Resolves when no code is being redeemed, however that ended. */
  settled(): Promise<void>;
  underWay(): boolean;
};

export type SignInDependencies = {
  oidc: OidcClient;
  redirect: LoopbackRedirect;
  clock: Clock;
  log: Log;
  /** The user when a session exists already, so that no page is needed. */
  currentUser(): Promise<string | null | undefined>;
  /** Takes the tokens over; resolves when the session is signed in, with the user's name. */
  complete(tokens: Tokens & { idToken: IdToken }): Promise<string>;
  /** The page for a user who has just signed in; may take as long as a call to AWS. */
  successPage(profile: string): Promise<ResultPage>;
};

type End = { user: string } | { error: CcwbError };

/** One sign-in from its authorization URL to its end. */
type SignIn = {
  id: string;
  url: string;
  expiresAt: number;
  /** Until when opening the page is somebody's task; Infinity once it is open, 0 when nobody has it. */
  leasedUntil: number;
  pagesOpened: number;
  end: End | undefined;
  /** What the browser is shown once it has come back; never rejects. */
  page: Promise<ResultPage> | undefined;
  /** Wakes those who wait: the end has come, or the page is to be opened by somebody else. */
  changed: Event;
  ended: Event;
  finish(end: End): void;
};

export function signIns(port: number, deps: SignInDependencies): SignIns {
  const { clock, log } = deps;
  let current: SignIn | undefined;
  /** Pages in a row that nobody answered, to stop a tool that asks all night from opening tabs all night. */
  let unanswered = 0;

  const pending = (signIn: SignIn, canOpenPage: boolean): SignInReply => {
    const openPage = canOpenPage && clock.now() >= signIn.leasedUntil;
    if (openPage) signIn.leasedUntil = clock.now() + PAGE_LEASE_MS;
    return {
      state: 'pending',
      signIn: signIn.id,
      url: signIn.url,
      openPage,
      expiresAt: rfc3339(signIn.expiresAt),
    };
  };

  const expire = (signIn: SignIn): void => {
    if (signIn.end || signIn.page) return;
    unanswered += signIn.pagesOpened;
    signIn.finish({
      error: new CcwbError(
        'ERR_LOGIN_EXPIRED',
        'nobody completed the sign-in within 5 minutes',
        'run bedrock-auth login',
      ),
    });
  };

  /** A timer does not run while the computer sleeps; the wall clock does. */
  const expireIfOver = (): void => {
    if (current && clock.now() >= current.expiresAt) expire(current);
  };

  const begin = sharedCall(async (profile: string): Promise<SignIn> => {
    const { url, secrets } = await deps.oidc.startAuthorization(redirectUri(port));
    const registration = await deps.redirect.expect(port, secrets.state, (callback) => {
      // The browser may ask twice for the same page; the code is redeemed once.
      signIn.page ??= redeem(callback);
      return signIn.page;
    });

    const redeem = async (callback: URL): Promise<ResultPage> => {
      unanswered = 0;
      try {
        const user = await deps.complete(await deps.oidc.redeemCode(callback, secrets));
        signIn.finish({ user });
        return await deps.successPage(profile);
      } catch (thrown) {
        const error = asSignInError(thrown);
        log('warn', 'sign-in failed', { profile, code: error.code, cause: causeOf(thrown) });
        signIn.finish({ error });
        return error.code === 'ERR_LOGIN_DENIED'
          ? resultPage({ outcome: 'denied' })
          : resultPage({ outcome: 'failed', message: error.message, fix: error.fix });
      }
    };

    const expiry = setTimeout(() => expire(signIn), TIMING.signInLifeMs);
    expiry.unref();

    const signIn: SignIn = {
      id: randomUUID(),
      url,
      expiresAt: clock.now() + TIMING.signInLifeMs,
      leasedUntil: 0,
      pagesOpened: 0,
      end: undefined,
      page: undefined,
      changed: event(),
      ended: event(),
      finish: (end) => {
        if (signIn.end) return;
        signIn.end = end;
        clearTimeout(expiry);
        signIn.changed.happens();
        signIn.ended.happens();
        // The browser may still be reading its page: closing lets answers finish.
        void registration.release();
        setTimeout(() => {
          if (current === signIn) current = undefined;
        }, TIMING.signInMemoryMs).unref();
        log('info', 'sign-in ended', { profile, ...('error' in end ? { code: end.error.code } : {}) });
      },
    };
    current = signIn;
    log('info', 'sign-in started', { profile, port });
    return signIn;
  });

  const refuseWhenCapped = (profile: string): void => {
    if (unanswered < TIMING.unansweredPages) return;
    throw new CcwbError(
      'ERR_LOGIN_CAPPED',
      `${unanswered} sign-in pages in a row went unanswered, so no other is opened by itself`,
      `run bedrock-auth login --profile ${profile}`,
    );
  };

  return {
    start: async (profile, request) => {
      expireIfOver();
      if (!current || current.end) {
        const user = await deps.currentUser();
        if (user !== undefined) return { state: 'signed-in', user };
        if (request.automatic) refuseWhenCapped(profile);
      }
      const signIn = current && !current.end ? current : await begin(profile);
      return ended(signIn) ?? pending(signIn, request.canOpenPage);
    },

    wait: async (id, { waitMs, canOpenPage, signal }) => {
      const signIn = current;
      if (signIn?.id !== id) return undefined;
      const deadline = clock.now() + waitMs;
      for (;;) {
        expireIfOver();
        const end = ended(signIn);
        if (end) return end;
        const now = clock.now();
        const left = deadline - now;
        if (left <= 0 || signal.aborted) return pending(signIn, false);
        if (canOpenPage && now >= signIn.leasedUntil) return pending(signIn, true);
        const untilLeaseEnds = canOpenPage ? signIn.leasedUntil - now : Number.POSITIVE_INFINITY;
        await happensWithin(signIn.changed, Math.min(left, untilLeaseEnds), signal);
      }
    },

    pageOpened: (id, opened) => {
      if (current?.id !== id || current.end) return false;
      current.leasedUntil = opened ? Number.POSITIVE_INFINITY : 0;
      if (opened) current.pagesOpened += 1;
      else {
        const { changed } = current;
        current.changed = event();
        changed.happens();
      }
      return true;
    },

    cancel: (error) => {
      if (!current?.page) current?.finish({ error });
    },
    settled: async () => {
      if (current?.page) await current.ended.happened;
    },

    underWay: () => current !== undefined && current.end === undefined,
  };
}

/** The reply once a sign-in has ended, or undefined while it is under way. */
function ended(signIn: SignIn): SignInReply | undefined {
  if (!signIn.end) return undefined;
  if ('error' in signIn.end) throw signIn.end.error;
  return { state: 'signed-in', user: signIn.end.user };
}

/** A code that cannot be redeemed is a failed sign-in, not a session that ended. */
function asSignInError(thrown: unknown): CcwbError {
  const error = asCcwbError(thrown);
  if (error.code !== 'ERR_LOGIN_REQUIRED') return error;
  return new CcwbError(
    'ERR_LOGIN_DENIED',
    'the identity provider did not accept the end of the sign-in',
    'run bedrock-auth login',
    {
      cause: thrown,
    },
  );
}
