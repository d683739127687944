import { setTimeout as sleep } from 'node:timers/promises';
import type { SignInReply, SignInRequest } from '../../protocol/api.ts';
import { CLIENT_TIMING } from '../../protocol/client.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { askDaemon, isDaemonUnreachable } from '../daemon/ask-daemon.ts';
import type { ShimEdges } from '../program/edges.ts';
import { type BrowserHost, findOpeners, isProgram, type Opener, openPage, readText } from './browser.ts';
import { hostKindOf } from './graphical-session.ts';
import { type PendingSignIn, signInInstructions } from './sign-in-instructions.ts';

/** Duration of one long poll in milliseconds: short, to notice soon that the daemon is gone. */
export const POLL_MS = 10_000;

export type SignInOptions = {
  profile: string;
  /** Asked for by a tool, not by a person: counts towards the daemon's cap. */
  automatic: boolean;
  /** False: the page is never opened from here, and its address wanted all the same. */
  openPages: boolean;
  /** By a code for another device, and not otherwise. */
  device?: boolean;
  /** Longest wait in milliseconds. Undefined: until the sign-in expires. */
  waitMs: number | undefined;
  /** Prints a text for the user: the address of the page, and what is waited for. */
  tell(text: string): void;
  /** Called when waiting begins and whenever it begins again. */
  waiting?(wait: { waitMs: number }): void;
};

/** `waited`: false when somebody was signed in before. */
export type SignedIn = { user: string | null; waited: boolean };

/**
 * Starts a sign-in, or joins the one under way, and waits for its end. The page is opened from here only
 * when the daemon says so, and once at most for each sign-in. Where it would be seen by nobody, or cannot
 * be opened, the daemon is asked for a code instead.
 *
 * @throws CcwbError ERR_LOGIN_PENDING when the wait ends before the sign-in does; how the sign-in failed.
 */
export async function signIn(edges: ShimEdges, options: SignInOptions): Promise<SignedIn> {
  const page = createSignInPage(edges, options);
  const deadline = options.waitMs === undefined ? undefined : performance.now() + options.waitMs;
  let reply = await begin(edges, options, page);
  if (reply.state === 'signed-in') return { user: reply.user, waited: false };
  let restarts = 0;
  while (reply.state === 'pending') {
    const pending: PendingSignIn = reply;
    if ((await page.show(pending)) === 'failed') {
      // Nobody sees a page here after all. What was told already stays true when there is nothing better.
      reply = await begin(edges, options, page).catch(() => ({ ...pending, openPage: false }));
      continue;
    }
    const leftMs = timeLeft(edges, pending, deadline);
    if (leftMs <= 0 || edges.interrupted.aborted) throw stillPending(edges, options, pending);
    const lifeMs = Date.parse(pending.expiresAt) - edges.now();
    options.waiting?.({ waitMs: Math.min(leftMs, lifeMs) });
    try {
      reply = await poll(edges, pending, Math.min(POLL_MS, leftMs), page.canOpen());
    } catch (error) {
      if (edges.interrupted.aborted) throw stillPending(edges, options, pending);
      // The daemon was replaced or died and took the sign-in with it: one more, not one after the other.
      if (!isLost(error) || restarts++ > 0) throw error;
      reply = await begin(edges, options, page);
    }
  }
  return { user: reply.user, waited: true };
}

function begin(
  edges: ShimEdges,
  { profile, automatic, device }: SignInOptions,
  page: SignInPage,
): Promise<SignInReply> {
  const body: SignInRequest = {
    automatic,
    canOpenPage: page.canOpen(),
    ...(device ? { device } : {}),
    ...(page.isUnseen() ? { screen: false } : {}),
  };
  return askDaemon<SignInReply>(edges, {
    route: 'signIn',
    params: { profile },
    body,
    // The first sign-in fetches the provider's discovery document.
    answerMs: 15_000,
    signal: edges.interrupted,
  });
}

async function poll(
  { daemon, interrupted }: ShimEdges,
  { signIn: id }: PendingSignIn,
  waitMs: number,
  canOpenPage: boolean,
): Promise<SignInReply> {
  const startedAt = performance.now();
  const reply = await daemon.ask<SignInReply>({
    route: 'awaitSignIn',
    params: { signIn: id },
    query: { wait: Math.ceil(waitMs), canOpenPage },
    answerMs: waitMs + CLIENT_TIMING.answerMs,
    // A machine with fifty shims on it may be slow to connect even one of them.
    startingMs: CLIENT_TIMING.startingMs,
    signal: interrupted,
  });
  // A daemon that answers at once although nothing changed must not be asked in a tight loop.
  if (reply.state === 'pending' && !reply.openPage && performance.now() - startedAt < CLIENT_TIMING.retryMs)
    await sleep(CLIENT_TIMING.connectMs);
  return reply;
}

function timeLeft({ now }: ShimEdges, { expiresAt }: PendingSignIn, deadline: number | undefined): number {
  if (deadline !== undefined) return deadline - performance.now();
  // The daemon ends the sign-in and says why; a little longer than it lives is long enough.
  return Date.parse(expiresAt) + CLIENT_TIMING.answerMs - now();
}

function isLost(error: unknown): boolean {
  return isDaemonUnreachable(error) || (error instanceof CcwbError && error.code === 'ERR_NOT_FOUND');
}

function stillPending(
  { name }: ShimEdges,
  { profile }: SignInOptions,
  { expiresAt }: PendingSignIn,
): CcwbError {
  const next =
    name === 'bedrock-auth' ? 'bedrock-auth status shows how it ended' : 'the next call picks it up';
  return new CcwbError(
    'ERR_LOGIN_PENDING',
    `stopped waiting for the sign-in to ${profile}; it goes on until ${expiresAt}`,
    `finish it in the browser; ${next}`,
  );
}

/** The sign-in page of this caller: its address is printed once, and it is opened once. */
type SignInPage = {
  canOpen(): boolean;
  /** True when nobody would see a page opened here. False where opening pages was ruled out. */
  isUnseen(): boolean;
  /** Prints the address, and opens the page when the daemon gave this caller the task. */
  show(pending: PendingSignIn): Promise<'shown' | 'failed'>;
};

function createSignInPage(edges: ShimEdges, options: SignInOptions): SignInPage {
  const { env, daemon, platform } = edges;
  const host: BrowserHost = { platform, env, isProgram, readText };
  const { profile, openPages, device, tell } = options;
  let openers: readonly Opener[] = openPages && !device ? findOpeners(host) : [];
  let opened = false;
  let printedFor: string | undefined;
  let openedFor: string | undefined;
  const canOpen = (): boolean => openers.length > 0;
  const print = (pending: PendingSignIn): void => {
    if (printedFor === pending.signIn) return;
    printedFor = pending.signIn;
    tell(signInInstructions({ profile, pending, opensPage: canOpen(), hostKind: hostKindOf(host), env }));
  };
  const open = async (pending: PendingSignIn): Promise<void> => {
    if (openedFor === pending.signIn) return;
    openedFor = pending.signIn;
    opened = await openPage(pending.url, openers, env);
  };
  return {
    canOpen,
    isUnseen: () => openPages && !device && env.CCWB_BROWSER !== 'none' && !canOpen(),
    show: async (pending) => {
      print(pending);
      if (!pending.openPage) return 'shown';
      await open(pending);
      await daemon
        .ask({
          route: 'pageOpened',
          params: { signIn: pending.signIn },
          body: { opened },
          startingMs: CLIENT_TIMING.startingMs,
        })
        // If the daemon does not hear of it, another caller inherits the task. The long poll reports the rest.
        .catch(() => {});
      if (opened) return 'shown';
      openers = [];
      printedFor = undefined;
      return 'failed';
    },
  };
}
