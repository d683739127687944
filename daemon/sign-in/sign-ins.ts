import type { SignInReply, SignInRequest } from '../../protocol/api.ts';
import { asCcwbError, CcwbError } from '../../protocol/errors.ts';
import type { OidcClient } from '../oidc/oidc-client.ts';
import type { SignInTokens } from '../oidc/tokens.ts';
import type { Clock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import { createSharedCall } from '../shared-call.ts';
import { TIMING } from '../timing.ts';
import { waitFor } from '../waiting.ts';
import { startBrowserSignIn } from './browser-sign-in.ts';
import { startDeviceSignIn } from './device-sign-in.ts';
import type { LoopbackRedirect } from './loopback-redirect.ts';
import type { ResultPage } from './result-page.ts';
import type { SignIn, SignInEdges, SignInEnd } from './sign-in.ts';

/**
 * The sign-ins of one session: at most one in the browser and one by code, which all callers join. A
 * person at another machine cannot use the page, and one at this machine need not type a code, so the two
 * go on side by side: the first that succeeds ends both, a refusal ends its own.
 */
export type SignIns = {
  /**
   * Starts a sign-in or joins the one under way.
   *
   * @param profile whom it is for; names it in the log and on the final page.
   * @throws CcwbError ERR_LOGIN_CAPPED, ERR_REDIRECT_PORT_TAKEN, ERR_PROVIDER_…; ERR_PROVIDER_REJECTED
   *   also when a code is asked for and the provider gives none.
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
   * Ends what is under way; those who wait get `error`. A sign-in whose tokens may be on their way ends by
   * itself, soon: see {@link SignIns.settled}.
   */
  cancel(error: CcwbError): void;
  /** Resolves when no tokens are on their way, however that ended. */
  settled(): Promise<void>;
  underWay(): boolean;
};

export type SignInDependencies = {
  oidc: OidcClient;
  redirect: LoopbackRedirect;
  clock: Clock;
  log: Log;
  /** The user when a session exists already, so that no page is needed. */
  currentUser(request: SignInRequest): Promise<string | null | undefined>;
  /** Takes the tokens over; resolves when the session is signed in, with the user's name. */
  complete(tokens: SignInTokens): Promise<string>;
  /** See {@link SignInEdges}. */
  successPage(profile: string): Promise<ResultPage>;
};

type SignInMethod = 'browser' | 'device';

export function createSignIns(port: number, deps: SignInDependencies): SignIns {
  const { clock, log } = deps;
  const known: Record<SignInMethod, SignIn | undefined> = { browser: undefined, device: undefined };
  /** Pages and codes in a row that nobody answered, to stop a tool that asks all night from opening tabs all night. */
  let unanswered = 0;
  /** What ended everything last, and how often that happened: a sign-in that was just starting ends alike. */
  let last: { end: SignInEnd | undefined; times: number } = { end: undefined, times: 0 };
  const all = (): SignIn[] => Object.values(known).filter((signIn) => signIn !== undefined);
  const everythingEnds = (end: SignInEnd): void => {
    last = { end, times: last.times + 1 };
  };

  /** Should both bring tokens in the same moment, the first one's count. */
  const complete = createSharedCall(deps.complete);
  const edges: SignInEdges = {
    oidc: deps.oidc,
    clock,
    log,
    successPage: deps.successPage,
    signedIn: async (tokens) => {
      const end = { user: await complete(tokens) };
      everythingEnds(end);
      for (const signIn of all()) signIn.finish(end);
    },
    answered: () => {
      unanswered = 0;
    },
    unanswered: (count) => {
      unanswered += count;
    },
  };

  const starter = (way: SignInMethod, start: (profile: string) => Promise<SignIn | undefined>) =>
    createSharedCall(async (profile: string): Promise<SignIn | undefined> => {
      const { times } = last;
      const signIn = await start(profile);
      if (!signIn) return undefined;
      known[way] = signIn;
      if (last.end && last.times !== times) signIn.finish(last.end);
      void signIn.ended.then(() => {
        const code = signIn.end && 'error' in signIn.end ? { code: signIn.end.error.code } : {};
        log('info', 'sign-in ended', { profile, ...code });
        setTimeout(() => {
          if (known[way] === signIn) known[way] = undefined;
        }, TIMING.signInMemoryMs).unref();
      });
      return signIn;
    });
  const begin = {
    browser: starter('browser', (profile) =>
      startBrowserSignIn(profile, port, { ...edges, redirect: deps.redirect }),
    ),
    device: starter('device', (profile) => startDeviceSignIn(profile, edges)),
  };

  const underWay = (way: SignInMethod): SignIn | undefined => {
    known[way]?.expireIfOver();
    return known[way]?.end ? undefined : known[way];
  };

  const joinOrBegin = async (way: SignInMethod, profile: string): Promise<SignIn | undefined> =>
    underWay(way) ?? (await begin[way](profile));

  /** By code for a caller without a screen, where that works; a caller that insists on it gets the error. */
  const byCode = async (profile: string, { device }: SignInRequest): Promise<SignIn | undefined> => {
    try {
      const signIn = await joinOrBegin('device', profile);
      if (!signIn && device) throw noDeviceGrant();
      return signIn;
    } catch (error) {
      const { code } = asCcwbError(error);
      if (device || code === 'ERR_PROVIDER_UNREACHABLE') throw error;
      log('warn', 'no sign-in by code', { profile, code, cause: causeOf(error) });
      return undefined;
    }
  };

  const capped = (profile: string): CcwbError =>
    new CcwbError(
      'ERR_LOGIN_CAPPED',
      `${unanswered} sign-in pages or codes in a row went unanswered, so no other comes by itself`,
      `run bedrock-auth login --profile ${profile}`,
    );

  return {
    start: async (profile, request) => {
      const wantsCode = request.device === true || request.screen === false;
      if (!underWay(wantsCode ? 'device' : 'browser')) {
        const user = await deps.currentUser(request);
        if (user !== undefined) return { state: 'signed-in', user };
        if (request.automatic && unanswered >= TIMING.unansweredPages) {
          // A tool starts nothing more, but may wait for what a person has started, whichever way.
          const other = underWay(wantsCode ? 'browser' : 'device');
          if (!other) throw capped(profile);
          return other.reply(request.canOpenPage);
        }
      }
      const signIn =
        (wantsCode ? await byCode(profile, request) : undefined) ?? (await joinOrBegin('browser', profile));
      if (!signIn) throw new Error('a sign-in that was not started');
      return ended(signIn) ?? signIn.reply(request.canOpenPage);
    },

    wait: async (id, { waitMs, canOpenPage, signal }) => {
      const signIn = all().find((each) => each.id === id);
      if (!signIn) return undefined;
      const startedAt = performance.now();
      for (;;) {
        signIn.expireIfOver();
        const end = ended(signIn);
        if (end) return end;
        const leftMs = waitMs - (performance.now() - startedAt);
        if (leftMs <= 0 || signal.aborted) return signIn.reply(false);
        const pageFreeInMs = canOpenPage ? signIn.pageFreeInMs() : Number.POSITIVE_INFINITY;
        if (pageFreeInMs === 0) return signIn.reply(true);
        await waitFor(signIn.changed, Math.min(leftMs, pageFreeInMs), signal);
      }
    },

    pageOpened: (id, opened) => {
      const signIn = all().find((each) => each.id === id);
      if (!signIn || signIn.end) return false;
      signIn.pageOpened(opened);
      return true;
    },

    cancel: (error) => {
      everythingEnds({ error });
      for (const signIn of all()) signIn.cancel(error);
    },
    settled: async () => {
      await Promise.all(all().map((signIn) => signIn.settled()));
    },

    underWay: () => underWay('browser') !== undefined || underWay('device') !== undefined,
  };
}

/** The reply once a sign-in has ended, or undefined while it is under way. */
function ended(signIn: SignIn): SignInReply | undefined {
  if (!signIn.end) return undefined;
  if ('error' in signIn.end) throw signIn.end.error;
  return { state: 'signed-in', user: signIn.end.user };
}

function noDeviceGrant(): CcwbError {
  return new CcwbError(
    'ERR_PROVIDER_REJECTED',
    'the identity provider offers no sign-in by code: its discovery document has no device_authorization_endpoint',
    'run bedrock-auth login --no-browser',
  );
}
