import type { SignOutReply } from '../../protocol/api.ts';
import { loadConfig } from '../../protocol/config.ts';
import { asCcwbError, errorLines } from '../../protocol/errors.ts';
import { askDaemon } from '../daemon/ask-daemon.ts';
import { chooseProfileName, requireProfile } from '../program/choose-profile.ts';
import type { ShimEdges } from '../program/edges.ts';
import { usageError } from '../program/errors.ts';
import { signIn } from '../sign-in/sign-in.ts';
import { formatDuration } from '../terminal/time-format.ts';

/** Pause between two updates of the waiting line on a terminal, in milliseconds. */
const TICK_MS = 1_000;

/**
 * Runs `bedrock-auth login`, which signs in unless the user is signed in, and waits until the sign-in
 * expires. It prints to standard output only, which Claude Code shows while it runs the command.
 */
export async function login(
  edges: ShimEdges,
  options: { profile?: string; browser: boolean; device?: boolean },
): Promise<number> {
  const profile = chooseProfileName(edges, options.profile);
  requireProfile(edges, profile);
  const waiting = waitingLine(edges);
  let lost: unknown;
  const tell = (text: string): void => {
    waiting.clear();
    edges.writeOut(text).catch((error: unknown) => {
      lost = error;
    });
  };
  try {
    const { user, waited } = await signIn(edges, {
      profile,
      automatic: false,
      openPages: options.browser,
      device: options.device === true,
      waitMs: undefined,
      tell,
      waiting: waiting.show,
    });
    const who = user === null ? '' : ` as ${user}`;
    tell(waited ? `Signed in for ${profile}${who}.\n` : `Already signed in for ${profile}${who}.\n`);
  } finally {
    waiting.clear();
  }
  if (lost !== undefined) throw lost;
  return 0;
}

/** Prints the reason for waiting once. On a terminal, the line also counts the time until it is cleared. */
function waitingLine(edges: ShimEdges): { show(wait: { waitMs: number }): void; clear(): void } {
  const startedAt = performance.now();
  let endsAt = 0;
  let shown = false;
  let timer: NodeJS.Timeout | undefined;
  const write = (text: string): void => {
    // A closed output does not end the sign-in.
    edges.writeOut(text).catch(() => {});
  };
  const line = (): string => {
    const now = performance.now();
    return `Waiting for the sign-in: ${formatDuration(now - startedAt)}, at most ${formatDuration(endsAt - now)} more`;
  };
  return {
    show: ({ waitMs }) => {
      endsAt = performance.now() + waitMs;
      if (shown) return;
      shown = true;
      if (!edges.terminal) {
        write(`Waiting for the sign-in, at most ${formatDuration(waitMs)} ...\n`);
        return;
      }
      write(`${line()} (Ctrl-C stops waiting)`);
      timer = setInterval(() => write(`\r\x1b[K${line()} (Ctrl-C stops waiting)`), TICK_MS);
    },
    clear: () => {
      if (!timer) return;
      clearInterval(timer);
      timer = undefined;
      shown = false;
      write('\r\x1b[K');
    },
  };
}

/** Runs `bedrock-auth logout`, which ends the session of one profile, or of every profile in config.json. */
export async function logout(
  edges: ShimEdges,
  options: { profile?: string; all?: boolean },
): Promise<number> {
  if (!options.all) return logoutOf(edges, chooseProfileName(edges, options.profile));
  if (options.profile !== undefined) {
    throw usageError(edges.name, '--all and --profile cannot go together');
  }
  let status = 0;
  for (const profile of loadConfig(edges.paths.config).names) {
    try {
      await logoutOf(edges, profile);
    } catch (thrown) {
      const error = asCcwbError(thrown);
      edges.writeError(errorLines(edges.name, error));
      status = error.exit;
    }
  }
  return status;
}

async function logoutOf(edges: ShimEdges, profile: string): Promise<number> {
  const { wasSignedIn, revoked } = await askDaemon<SignOutReply>(
    edges,
    // Revoking is a call to the identity provider.
    { route: 'signOut', params: { profile }, answerMs: 20_000 },
    () => requireProfile(edges, profile),
  );
  const outcome = revoked
    ? 'the session was ended at the identity provider too'
    : 'the identity provider was not told, its own session may live on';
  await edges.writeOut(
    wasSignedIn ? `Signed out of ${profile}; ${outcome}.\n` : `Nobody was signed in for ${profile}.\n`,
  );
  return 0;
}
