import type { SignOutReply } from '../../protocol/api.ts';
import { loadConfig } from '../../protocol/config.ts';
import { asCcwbError, errorLines } from '../../protocol/errors.ts';
import { askStarting } from '../daemon/ask.ts';
import { checkProfile, profileMeant } from '../program/chosen-profile.ts';
import { type Program, usageError } from '../program/program.ts';
import { signIn } from '../sign-in/sign-in.ts';
import { duration } from '../terminal/times.ts';

/** How often the waiting line on a terminal is renewed, in milliseconds. */
const TICK_MS = 1_000;

/**
 * `bedrock-auth login`: signs in unless somebody is signed in already, and waits as long as the sign-in
 * lives. All of it goes to standard output: that is what Claude Code shows while it runs the command.
 */
export async function login(
  program: Program,
  options: { profile?: string; browser: boolean; device?: boolean },
): Promise<number> {
  const profile = profileMeant(program, options.profile);
  checkProfile(program, profile);
  const waiting = waitingLine(program);
  let lost: unknown;
  const tell = (text: string): void => {
    waiting.clear();
    program.print(text).catch((error: unknown) => {
      lost = error;
    });
  };
  try {
    const { user, waited } = await signIn(program, {
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

/** Says what is waited for: once, and on a terminal in a line that counts the time until it is cleared. */
function waitingLine(program: Program): { show(wait: { waitMs: number }): void; clear(): void } {
  const startedAt = performance.now();
  let endsAt = 0;
  let shown = false;
  let timer: NodeJS.Timeout | undefined;
  const write = (text: string): void => {
    // A reader that went away ends nothing: the sign-in is what counts.
    program.print(text).catch(() => {});
  };
  const line = (): string => {
    const now = performance.now();
    return `Waiting for the sign-in: ${duration(now - startedAt)}, at most ${duration(endsAt - now)} more`;
  };
  return {
    show: ({ waitMs }) => {
      endsAt = performance.now() + waitMs;
      if (shown) return;
      shown = true;
      if (!program.terminal) {
        write(`Waiting for the sign-in, at most ${duration(waitMs)} ...\n`);
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

/** `bedrock-auth logout`: ends the session of one profile, or of every profile in config.json. */
export async function logout(
  program: Program,
  options: { profile?: string; all?: boolean },
): Promise<number> {
  if (!options.all) return logoutOf(program, profileMeant(program, options.profile));
  if (options.profile !== undefined) {
    throw usageError(program.name, '--all and --profile cannot go together');
  }
  let status = 0;
  for (const profile of loadConfig(program.paths.config).names) {
    try {
      await logoutOf(program, profile);
    } catch (thrown) {
      const error = asCcwbError(thrown);
      program.say(errorLines(program.name, error));
      status = error.exit;
    }
  }
  return status;
}

async function logoutOf(program: Program, profile: string): Promise<number> {
  const { wasSignedIn, revoked } = await askStarting<SignOutReply>(
    program,
    // Revoking is a call to the identity provider.
    { route: 'signOut', params: { profile }, answerMs: 20_000 },
    () => checkProfile(program, profile),
  );
  const outcome = revoked
    ? 'the session was ended at the identity provider too'
    : 'the identity provider was not told, its own session may live on';
  await program.print(
    wasSignedIn ? `Signed out of ${profile}; ${outcome}.\n` : `Nobody was signed in for ${profile}.\n`,
  );
  return 0;
}
