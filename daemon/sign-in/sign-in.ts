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

/** One sign-in from its start to its one end; by which grant, its callers see only in the reply. */
export type SignIn = {
  readonly id: string;
  readonly end: SignInEnd | undefined;
  /** Happens at the end, or when the page is to be opened by somebody else. */
  readonly changed: Deferred;
  readonly ended: Promise<void>;
  /** What a caller is told while it is under way; opening the page becomes the task of one that can. */
  reply(canOpenPage: boolean): SignInReply;
  /** In how many milliseconds opening the page may become another caller's task: 0 now, Infinity never. */
  pageFreeInMs(): number;
  /** The caller whose task it was opened the page, or could not. */
  pageOpened(opened: boolean): void;
  /** A timer does not run while the computer sleeps; the wall clock does. */
  expireIfOver(): void;
  finish(end: SignInEnd): void;
  /** Ends it with `error`; one whose tokens may be on their way ends by itself, soon: see `settled`. */
  cancel(error: CcwbError): void;
  /** Resolves when no tokens are on their way. */
  settled(): Promise<void>;
};

/** What a sign-in has of the session it is for. */
export type SignInEdges = {
  oidc: OidcClient;
  clock: Clock;
  log: Log;
  /** Hands over what the provider gave: the session is signed in, and every sign-in to it has ended so. */
  signedIn(tokens: SignInTokens): Promise<void>;
  /** The page for a user who has just signed in, once AWS was asked for credentials; takes as long as that. */
  successPage(profile: string): Promise<ResultPage>;
  /** A person was there, whatever they answered. */
  answered(): void;
  /** Nobody answered these pages or codes. */
  unanswered(count: number): void;
};

/** The life of a sign-in, which ends once. */
export type SignInLifetime = Pick<SignIn, 'id' | 'end' | 'changed' | 'ended' | 'finish' | 'expireIfOver'> & {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Lets those who wait look again. */
  wake(): void;
};

/** @param expired called when the life is over, by the timer or by the clock; finishes it, or will. */
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

/** A code that cannot be redeemed is a failed sign-in, not a session that ended. */
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
