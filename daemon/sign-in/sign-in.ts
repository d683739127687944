import { randomUUID } from 'node:crypto';
import type { SignInReply } from '../../protocol/api.ts';
import { asCcwbError, CcwbError } from '../../protocol/errors.ts';
import type { OidcClient } from '../oidc/oidc-client.ts';
import type { SignInTokens } from '../oidc/tokens.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { createDeferred, type Deferred } from '../waiting.ts';
import type { ResultPage } from './result-page.ts';

export type SignInEnd = { user: string } | { error: CcwbError };

/** One sign-in. Only its reply shows the grant. */
export type SignIn = {
  readonly id: string;
  readonly end: SignInEnd | undefined;
  /** Resolves at the end, or when another caller must open the page; then another one replaces it. */
  readonly changed: Deferred;
  readonly ended: Promise<void>;
  /** Returns the reply to a caller of a sign-in in progress. It gives the task of opening the page to one that can. */
  reply(canOpenPage: boolean): SignInReply;
  /** Milliseconds until another caller may open the page: 0 for now, Infinity for never. */
  pageFreeInMs(): number;
  /** Notes that the caller with the task opened the page, or could not. */
  pageOpened(opened: boolean): void;
  /** Ends an expired sign-in by the wall clock: timers do not run while the computer sleeps. */
  expireIfOver(): void;
  finish(end: SignInEnd): void;
  /** Ends it with `error`. One that is receiving tokens ends by itself soon: see `settled`. */
  cancel(error: CcwbError): void;
  /** Resolves when it is not receiving tokens. */
  settled(): Promise<void>;
};

/** The parts of the daemon and of the session that a sign-in uses. */
export type SignInEdges = {
  oidc: OidcClient;
  clock: Clock;
  log: Log;
  /** Signs the session in, and ends all its sign-ins with this success. */
  signedIn(tokens: SignInTokens): Promise<void>;
  /** Requests the first AWS credentials, then returns the page for the user who has just signed in. */
  successPage(profile: string): Promise<ResultPage>;
  /** Notes that a person answered, with a success or a refusal. */
  answered(): void;
  /** Counts pages or codes that nobody answered. */
  unanswered(count: number): void;
};

/** The lifetime of a sign-in, which ends once. */
export type SignInLifetime = Pick<SignIn, 'id' | 'end' | 'changed' | 'ended' | 'finish' | 'expireIfOver'> & {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Wakes the waiting callers, which then check again. */
  wake(): void;
};

/** @param expired called by the timer or the clock at the end of the lifetime; must finish the sign-in, now or later. */
export function createLifetime(clock: Clock, lifeMs: number, expired: () => void): SignInLifetime {
  const expiresAt = clock.now() + lifeMs;
  const timer = setTimeout(() => expired(), lifeMs);
  timer.unref();
  const ended = createDeferred();
  let changed = createDeferred();
  let end: SignInEnd | undefined;
  const wake = (): void => {
    const last = changed;
    changed = createDeferred();
    last.resolve();
  };
  return {
    id: randomUUID(),
    expiresAt,
    get end() {
      return end;
    },
    get changed() {
      return changed;
    },
    ended: ended.promise,
    wake,
    finish: (how) => {
      if (end) return;
      end = how;
      clearTimeout(timer);
      ended.resolve();
      wake();
    },
    expireIfOver: () => {
      if (!end && clock.now() >= expiresAt) expired();
    },
  };
}

/** Translates an error of a sign-in: a code that cannot be redeemed is a denial, not the end of a session. */
export function asSignInError(thrown: unknown): CcwbError {
  const error = asCcwbError(thrown);
  if (error.code !== 'ERR_LOGIN_REQUIRED') return error;
  return new CcwbError(
    'ERR_LOGIN_DENIED',
    'the identity provider did not accept the end of the sign-in',
    'run bedrock-auth login',
    { cause: thrown },
  );
}
