import type { SignInReply, SignInRequest } from '../../protocol/api.ts';
import { asCcwbError, CcwbError } from '../../protocol/errors.ts';
import { causeOf, type Log } from '../platform/log.ts';
import { TIMING } from '../timing.ts';
import { waitFor } from '../waiting.ts';
import type { SignIn } from './sign-in.ts';
import {
  createSignInRegistry,
  type SignInRegistry,
  type SignInRegistryDependencies,
} from './sign-in-registry.ts';

/**
 * The sign-ins of one session: at most one in the browser and one by code, which all callers join. A person
 * at another machine cannot use the page, and one at this machine need not type a code. So both can be in
 * progress: the first that succeeds ends both, a refusal ends only its own.
 */
export type SignIns = {
  /**
   * Starts a sign-in or joins the one in progress.
   *
   * @param profile the profile that the log and the final page name.
   * @throws CcwbError ERR_LOGIN_CAPPED, ERR_REDIRECT_PORT_TAKEN, ERR_PROVIDER_…; ERR_PROVIDER_REJECTED
   *   also when the request demands a code and the provider offers none.
   */
  start(profile: string, request: SignInRequest): Promise<SignInReply>;
  /**
   * Waits for the end of a sign-in, or until a caller that can open its page has to do so.
   *
   * @returns undefined when this session had no such sign-in.
   * @throws CcwbError with the reason why the sign-in failed.
   */
  wait(id: string, options: WaitOptions): Promise<SignInReply | undefined>;
  /** Notes that the caller opened the page, or could not. Returns false when no such sign-in is in progress. */
  pageOpened(id: string, opened: boolean): boolean;
  /**
   * Cancels the sign-ins in progress; their callers get `error`. A sign-in that is receiving tokens ends by
   * itself soon: see {@link SignIns.settled}.
   */
  cancel(error: CcwbError): void;
  /** Resolves when no sign-in is receiving tokens. */
  settled(): Promise<void>;
  /** True while a sign-in is in progress. */
  isPending(): boolean;
};

type WaitOptions = { waitMs: number; canOpenPage: boolean; signal: AbortSignal };

export type SignInDependencies = SignInRegistryDependencies & {
  /** Returns the user when a session exists, so that no page is needed. */
  currentUser(request: SignInRequest): Promise<string | null | undefined>;
};

export function createSignIns(port: number, deps: SignInDependencies): SignIns {
  const signIns = createSignInRegistry(port, deps);
  return {
    start: async (profile, request) => {
      const wantsCode = request.device === true || request.screen === false;
      if (!signIns.pending(wantsCode ? 'device' : 'browser')) {
        const user = await deps.currentUser(request);
        if (user !== undefined) return { state: 'signed-in', user };
        if (request.automatic && signIns.unanswered() >= TIMING.unansweredPages) {
          // A tool starts no further sign-in, but may wait for one that a person started by either method.
          const other = signIns.pending(wantsCode ? 'browser' : 'device');
          if (!other) throw cappedError(signIns.unanswered(), profile);
          return other.reply(request.canOpenPage);
        }
      }
      const signIn =
        (wantsCode ? await signInByCode(signIns, profile, request, deps.log) : undefined) ??
        (await signIns.joinOrStart('browser', profile));
      if (!signIn) throw new Error('a sign-in that was not started');
      return replyOfEnd(signIn) ?? signIn.reply(request.canOpenPage);
    },

    wait: async (id, options) => {
      const signIn = signIns.find(id);
      return signIn && waitForReply(signIn, options);
    },

    pageOpened: (id, opened) => {
      const signIn = signIns.find(id);
      if (!signIn || signIn.end) return false;
      signIn.pageOpened(opened);
      return true;
    },

    cancel: signIns.cancel,
    settled: signIns.settled,
    isPending: () => signIns.pending('browser') !== undefined || signIns.pending('device') !== undefined,
  };
}

/**
 * Joins or starts a sign-in by code, for a caller without a screen.
 *
 * @returns undefined when there is no such sign-in and the request does not demand one.
 */
async function signInByCode(
  signIns: SignInRegistry,
  profile: string,
  { device }: SignInRequest,
  log: Log,
): Promise<SignIn | undefined> {
  try {
    const signIn = await signIns.joinOrStart('device', profile);
    if (!signIn && device) throw noDeviceGrant();
    return signIn;
  } catch (error) {
    const { code } = asCcwbError(error);
    if (device || code === 'ERR_PROVIDER_UNREACHABLE') throw error;
    log('warn', 'no sign-in by code', { profile, code, cause: causeOf(error) });
    return undefined;
  }
}

/** Returns the reply when the sign-in has ended, its page is free for this caller, or the wait is over. */
async function waitForReply(
  signIn: SignIn,
  { waitMs, canOpenPage, signal }: WaitOptions,
): Promise<SignInReply> {
  const startedAt = performance.now();
  for (;;) {
    signIn.expireIfOver();
    const end = replyOfEnd(signIn);
    if (end) return end;
    const leftMs = waitMs - (performance.now() - startedAt);
    if (leftMs <= 0 || signal.aborted) return signIn.reply(false);
    const pageFreeInMs = canOpenPage ? signIn.pageFreeInMs() : Number.POSITIVE_INFINITY;
    if (pageFreeInMs === 0) return signIn.reply(true);
    await waitFor(signIn.changed, Math.min(leftMs, pageFreeInMs), signal);
  }
}

/** Returns the reply of a sign-in that succeeded; undefined while it is in progress. @throws CcwbError if it failed. */
function replyOfEnd(signIn: SignIn): SignInReply | undefined {
  if (!signIn.end) return undefined;
  if ('error' in signIn.end) throw signIn.end.error;
  return { state: 'signed-in', user: signIn.end.user };
}

function cappedError(unanswered: number, profile: string): CcwbError {
  return new CcwbError(
    'ERR_LOGIN_CAPPED',
    `${unanswered} sign-in pages or codes in a row went unanswered, so no other comes by itself`,
    `run bedrock-auth login --profile ${profile}`,
  );
}

function noDeviceGrant(): CcwbError {
  return new CcwbError(
    'ERR_PROVIDER_REJECTED',
    'the identity provider offers no sign-in by code: its discovery document has no device_authorization_endpoint',
    'run bedrock-auth login --no-browser',
  );
}
