import { setTimeout as sleep } from 'node:timers/promises';
import type { SignInReply, SignInRequest } from '../../protocol/api.ts';
import { CLIENT_TIMING } from '../../protocol/client.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { askDaemon, isDaemonUnreachable } from '../daemon/ask-daemon.ts';
import type { ShimEdges } from '../program/edges.ts';
import { type BrowserHost, findOpeners, isProgram, type Opener, openPage, readText } from './browser.ts';
import { hostKindOf } from './graphical-session.ts';
import { type PendingSignIn, signInInstructions } from './sign-in-instructions.ts';

/** Duration of one long poll in milliseconds. It is short, to notice soon that the daemon has ended. */
export const POLL_MS = 10_000;

export type SignInOptions = {
  profile: string;
  /** True if a tool asks, not a person. Then it counts towards the daemon's cap. */
  automatic: boolean;
  /** False if this program must not open the page, only print its address. */
  openPages: boolean;
  /** True if only a code for another device may be used. */
  device?: boolean;
  /** Longest wait in milliseconds. Undefined: until the sign-in expires. */
  waitMs: number | undefined;
  /** Prints a text for the user: the address of the page, and the reason for waiting. */
  tell(text: string): void;
  /** Called whenever waiting begins. */
  waiting?(wait: { waitMs: number }): void;
};

/** `waited` is false if the user was signed in before. */
export type SignedIn = { user: string | null; waited: boolean };

/**
 * Starts a sign-in, or joins the one in progress, and waits for its end. Opens the page only if the daemon
 * asks this caller to, and at most once per sign-in. If nobody would see the page, or it cannot be opened,
 * asks the daemon for a code.
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
      // Nobody sees a page here. Without a code, the instructions printed before stay valid.
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
      // The daemon was replaced or died, and its sign-in is lost. Start one more, but no third.
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
  // The daemon ends the sign-in and reports why. Wait a little longer than the sign-in lives.
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

/** The sign-in page of this caller. Its address is printed once, and it is opened once. */
type SignInPage = {
  canOpen(): boolean;
  /** True if nobody would see a page opened here. False if opening pages was ruled out. */
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
        // Without this report another caller inherits the task. The long poll reports other errors.
        .catch(() => {});
      if (opened) return 'shown';
      openers = [];
      printedFor = undefined;
      return 'failed';
    },
  };
}
