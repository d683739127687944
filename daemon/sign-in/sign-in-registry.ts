import type { CcwbError } from '../../protocol/errors.ts';
import type { OidcClient } from '../oidc/oidc-client.ts';
import type { SignInTokens } from '../oidc/tokens.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { createSharedCall } from '../shared-call.ts';
import { TIMING } from '../timing.ts';
import { startBrowserSignIn } from './browser-sign-in.ts';
import { startDeviceSignIn } from './device-sign-in.ts';
import type { LoopbackRedirect } from './loopback-redirect.ts';
import type { ResultPage } from './result-page.ts';
import type { SignIn, SignInEdges, SignInEnd } from './sign-in.ts';

export type SignInMethod = 'browser' | 'device';

/** The sign-ins of one session: at most one of each method. A finished one is kept for {@link TIMING.signInMemoryMs}. */
export type SignInRegistry = {
  /** Returns the sign-in of this method that is in progress. */
  pending(method: SignInMethod): SignIn | undefined;
  /**
   * Joins the sign-in of this method that is in progress, or starts one.
   *
   * @returns undefined when the provider does not offer the method.
   * @throws CcwbError ERR_REDIRECT_PORT_TAKEN, ERR_PROVIDER_…
   */
  joinOrStart(method: SignInMethod, profile: string): Promise<SignIn | undefined>;
  find(id: string): SignIn | undefined;
  /** Returns the number of pages and codes in a row that nobody answered. */
  unanswered(): number;
  /** Cancels every sign-in with `error`, those that are starting included. */
  cancel(error: CcwbError): void;
  /** Resolves when no sign-in is receiving tokens. */
  settled(): Promise<void>;
};

export type SignInRegistryDependencies = {
  oidc: OidcClient;
  redirect: LoopbackRedirect;
  clock: Clock;
  log: Log;
  /** Stores the tokens; resolves with the user's name when the session is signed in. */
  complete(tokens: SignInTokens): Promise<string>;
  /** See {@link SignInEdges}. */
  successPage(profile: string): Promise<ResultPage>;
};

/** @param port the redirect port of sign-ins in the browser. */
export function createSignInRegistry(port: number, deps: SignInRegistryDependencies): SignInRegistry {
  const { oidc, clock, log, successPage } = deps;
  const known: Record<SignInMethod, SignIn | undefined> = { browser: undefined, device: undefined };
  let unanswered = 0;
  /** The last end that all sign-ins shared, and the number of such ends. One that was starting gets it too. */
  let sharedEnd: { end: SignInEnd | undefined; count: number } = { end: undefined, count: 0 };

  const all = (): SignIn[] => Object.values(known).filter((signIn) => signIn !== undefined);
  const setSharedEnd = (end: SignInEnd): void => {
    sharedEnd = { end, count: sharedEnd.count + 1 };
  };

  /** If both methods bring tokens at the same moment, only the first ones are stored. */
  const complete = createSharedCall(deps.complete);
  const edges: SignInEdges = {
    oidc,
    clock,
    log,
    successPage,
    signedIn: async (tokens) => {
      const end = { user: await complete(tokens) };
      setSharedEnd(end);
      for (const signIn of all()) signIn.finish(end);
    },
    answered: () => {
      unanswered = 0;
    },
    unanswered: (count) => {
      unanswered += count;
    },
  };

  const createStarter = (method: SignInMethod, start: (profile: string) => Promise<SignIn | undefined>) =>
    createSharedCall(async (profile: string): Promise<SignIn | undefined> => {
      const { count } = sharedEnd;
      const signIn = await start(profile);
      if (!signIn) return undefined;
      known[method] = signIn;
      if (sharedEnd.end && sharedEnd.count !== count) signIn.finish(sharedEnd.end);
      void signIn.ended.then(() => {
        const code = signIn.end && 'error' in signIn.end ? { code: signIn.end.error.code } : {};
        log('info', 'sign-in ended', { profile, ...code });
        setTimeout(() => {
          if (known[method] === signIn) known[method] = undefined;
        }, TIMING.signInMemoryMs).unref();
      });
      return signIn;
    });
  const starters = {
    browser: createStarter('browser', (profile) =>
      startBrowserSignIn(profile, port, { ...edges, redirect: deps.redirect }),
    ),
    device: createStarter('device', (profile) => startDeviceSignIn(profile, edges)),
  };

  const pending = (method: SignInMethod): SignIn | undefined => {
    known[method]?.expireIfOver();
    return known[method]?.end ? undefined : known[method];
  };

  return {
    pending,
    joinOrStart: async (method, profile) => pending(method) ?? (await starters[method](profile)),
    find: (id) => all().find((signIn) => signIn.id === id),
    unanswered: () => unanswered,
    cancel: (error) => {
      setSharedEnd({ error });
      for (const signIn of all()) signIn.cancel(error);
    },
    settled: async () => {
      await Promise.all(all().map((signIn) => signIn.settled()));
    },
  };
}
