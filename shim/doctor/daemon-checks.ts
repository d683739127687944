import { lstatSync, type Stats } from 'node:fs';
import { type Finding, ok, problem, skipped, warning } from '../../common/findings.ts';
import { quoteTypedWord } from '../../common/shell-quote.ts';
import type { StatusReply } from '../../protocol/api.ts';
import { escapeControlCharacters } from '../../protocol/control-characters.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { socketDirectory } from '../../protocol/paths.ts';
import { BUILD_VERSION, compareBuilds } from '../../protocol/version.ts';
import { installedService } from '../daemon/start-daemon.ts';
import { shortPath } from '../terminal/format.ts';
import { formatDuration, formatMoment } from '../terminal/time-format.ts';
import { forEachProfile, type ShimCheck } from './check.ts';

/** Checks that the socket and its folder belong to this user, and that other users cannot use them. */
export const socket: ShimCheck = ({ edges }) => {
  const { socket: path } = edges.paths;
  const folder = socketDirectory(path);
  try {
    const wrong = wrongWith(folder, 0o700) ?? wrongWith(path, 0o600);
    if (wrong) return [wrong];
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there && !there.isSocket()) return [problem(`${path} is no socket`, `rm ${quoteTypedWord(path)}`)];
    return [ok(`${shortPath(path, edges.env.HOME)}${there ? '' : ', not there while no daemon runs'}`)];
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return [problem(`${path} cannot be looked at (${code})`, `ls -ld ${quoteTypedWord(folder)}`)];
  }
};

function wrongWith(path: string, mode: number): Finding | undefined {
  const stat: Stats | undefined = lstatSync(path, { throwIfNoEntry: false });
  const uid = process.getuid?.();
  if (!stat || uid === undefined) return undefined;
  if (stat.isSymbolicLink()) return problem(`${path} is a symbolic link`, `rm ${quoteTypedWord(path)}`);
  if (stat.uid !== uid) {
    return problem(`${path} belongs to uid ${stat.uid}, not to you`, `sudo rm -r ${quoteTypedWord(path)}`);
  }
  if (!(stat.mode & 0o077)) return undefined;
  const open = `${path} is open to others (mode ${(stat.mode & 0o777).toString(8)})`;
  return problem(open, `chmod ${mode.toString(8)} ${quoteTypedWord(path)}`);
}

/** Checks that a daemon of this program's version answers. */
export const daemon: ShimCheck = async ({ status, edges }) => {
  const reply = await status();
  if (reply instanceof CcwbError) {
    const exists = lstatIfThere(edges.paths.socket);
    if (reply.code !== 'ERR_DAEMON_UNREACHABLE') return [problem(reply.message, reply.fix)];
    if (/no answer within/.test(reply.message)) {
      return [problem(`it does not answer: ${reply.message}`, 'bedrock-auth service restart')];
    }
    const left = exists ? '; a killed one left its socket, which does no harm' : '';
    const text = `not running${left}; the first program that needs it starts it`;
    // Only an installed service must have a running daemon.
    return [installedService(edges) ? warning(text, 'bedrock-auth service start') : ok(text)];
  }
  const { build, pid, startedAt } = reply.daemon;
  const age = formatDuration(edges.now() - Date.parse(startedAt));
  const running = `version ${build}, process ${pid}, for ${age}`;
  const order = compareBuilds(build, BUILD_VERSION);
  if (order === 0) return [ok(running)];
  return [
    order < 0
      ? warning(`${running}: older than this program (${BUILD_VERSION})`, 'bedrock-auth service restart')
      : warning(
          `${running}: newer than this program (${BUILD_VERSION})`,
          'run install.sh of the newer package',
        ),
  ];
};

/** Checks that the user is signed in and has credentials. */
export const signIn: ShimCheck = async (context) => {
  const reply = await context.status();
  if (reply instanceof CcwbError) return [skipped('not known, no daemon answers')];
  const now = context.edges.now();
  const file = reply.configProblem;
  const found: Finding[] = file ? [problem(`the daemon: ${file.message}`, file.fix)] : [];
  return [...found, ...(await forEachProfile(context, ({ name }) => signInOf(reply, name, now)))];
};

function signInOf(reply: StatusReply, name: string, now: number): Finding {
  const profile = reply.profiles.find((each) => each.profile === name);
  if (!profile) {
    return warning('the daemon does not know this profile yet', 'bedrock-auth status', name);
  }
  const login = `bedrock-auth login --profile ${name}`;
  const { state, user, credentialsUntil, problem: trouble } = profile;
  if (state === 'misconfigured')
    return problem(trouble?.message ?? 'wrong fields', trouble?.fix ?? null, name);
  const valid = credentialsUntil !== null && Date.parse(credentialsUntil) > now;
  const who = user === null ? 'somebody' : escapeControlCharacters(user);
  const until = valid ? `, credentials until ${formatMoment(credentialsUntil, now)}` : ', no credentials yet';
  if (trouble) {
    const text = `${trouble.message} (${trouble.code})`;
    // A user with credentials can work during retries.
    return valid ? warning(`${text}; ${who}${until}`, trouble.fix, name) : problem(text, trouble.fix, name);
  }
  if (state === 'signed-out') return warning('nobody is signed in', login, name);
  if (state === 'signing-in') return warning('a sign-in waits in the browser', login, name);
  return ok(`${who}${until}`, name);
}

function lstatIfThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
