import { parseArgs } from 'node:util';
import type { Credentials, ExpirationReply, IdTokenReply } from '../protocol/api.ts';
import { CcwbError } from '../protocol/errors.ts';
import { BUILD_VERSION } from '../protocol/version.ts';
import { askDaemon, askRunningDaemon, isDaemonUnreachable } from './daemon/ask-daemon.ts';
import { chooseProfileName, requireProfile } from './program/choose-profile.ts';
import type { ShimEdges } from './program/edges.ts';
import { usageError } from './program/errors.ts';
import { explainProfile } from './program/explain-profile.ts';
import { runProgram } from './program/run-program.ts';
import { signIn } from './sign-in/sign-in.ts';

/** Default wait for a sign-in in seconds. Claude Code gives up after 60. */
export const SIGN_IN_WAIT_SECONDS = 50;
/** Highest `CCWB_SIGN_IN_WAIT_SECONDS`: the lifetime of a sign-in. */
const MAX_WAIT_SECONDS = 300;
/**
 * Time limit in milliseconds of a first exchange of tokens for credentials, which takes a few calls to remote
 * servers.
 */
const EXCHANGE_MS = 15_000;

const HELP = `Usage: credential-process [--profile NAME] [action]

Prints temporary AWS credentials as AWS SDKs expect it of a credential_process.
When nobody is signed in, the sign-in page opens in the browser.

  -p, --profile NAME   profile of config.json (else CCWB_PROFILE, else
                       ClaudeCode, else the only one)

Actions, at most one:
  --login              sign in, print nothing
  --clear-cache        forget the AWS credentials in memory; the session stays
  --check-expiration   exit 0 when there are valid credentials, 1 when not;
                       starts nothing
  --refresh-if-needed  see to it that there are valid credentials, without a
                       sign-in; print nothing
  --get-monitoring-token
                       print the ID token; never opens a browser
  --explain            print the resolved configuration as JSON
  -v, --version        print the version
  --help               print this text

Environment:
  CCWB_PROFILE         the profile, where no flag names one
  CCWB_SIGN_IN=off     never start a sign-in; say which command to run instead
  CCWB_SIGN_IN_WAIT_SECONDS
                       how long to wait for a sign-in, 0 to ${MAX_WAIT_SECONDS} (default ${SIGN_IN_WAIT_SECONDS})
  CCWB_BROWSER         like BROWSER, but for sign-in pages only; none: print the
                       address and open nothing
  CCWB_CONFIG, CCWB_SOCKET
                       where config.json and the daemon's socket are

Examples:
  credential-process --profile ClaudeCode
  credential-process --profile ClaudeCode --check-expiration && echo valid

Exit status: 0 done, 1 failed, 2 wrong usage.
`;

const ACTIONS = {
  login,
  'clear-cache': clearCache,
  'check-expiration': checkExpiration,
  'refresh-if-needed': refreshIfNeeded,
  'get-monitoring-token': getMonitoringToken,
  explain,
} as const satisfies Record<string, (edges: ShimEdges, profile: string) => Promise<number>>;

type ActionFlag = keyof typeof ACTIONS;

/** Runs the `credential_process` of AWS SDKs with all its flags. */
async function main(edges: ShimEdges): Promise<number> {
  const flags = readFlags(edges);
  if (flags.help) return printed(edges, HELP);
  if (flags.version) return printed(edges, `credential-process ${BUILD_VERSION}\n`);
  const profile = chooseProfileName(edges, flags.profile);
  return flags.action ? ACTIONS[flags.action](edges, profile) : printCredentials(edges, profile);
}

function readFlags({ name, args }: ShimEdges): {
  profile: string | undefined;
  help: boolean;
  version: boolean;
  action: ActionFlag | undefined;
} {
  let values: Record<string, unknown>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        profile: { type: 'string', short: 'p' },
        help: { type: 'boolean' },
        version: { type: 'boolean', short: 'v' },
        ...Object.fromEntries(Object.keys(ACTIONS).map((action) => [action, { type: 'boolean' }] as const)),
      },
    }));
  } catch (error) {
    throw usageError(name, (error as Error).message.split(/\.\s|\n/)[0] ?? 'wrong flags');
  }
  const actions = (Object.keys(ACTIONS) as ActionFlag[]).filter((action) => values[action] === true);
  if (actions.length > 1) {
    throw usageError(name, `--${actions.join(' and --')} cannot go together; one action at most`);
  }
  return {
    profile: typeof values.profile === 'string' ? values.profile : undefined,
    help: values.help === true,
    version: values.version === true,
    action: actions[0],
  };
}

async function printCredentials(edges: ShimEdges, profile: string): Promise<number> {
  let credentials: Credentials;
  try {
    credentials = await askCredentials(edges, profile);
  } catch (error) {
    if (!(error instanceof CcwbError) || error.code !== 'ERR_LOGIN_REQUIRED') throw error;
    if (edges.env.CCWB_SIGN_IN === 'off') {
      throw new CcwbError(
        'ERR_LOGIN_OFF',
        `nobody is signed in for ${profile}, and CCWB_SIGN_IN=off forbids asking for it here`,
        `run bedrock-auth login --profile ${profile}`,
      );
    }
    const waitMs = signInWaitMs(edges);
    await signIn(edges, { profile, automatic: true, openPages: true, waitMs, tell: edges.writeError });
    credentials = await askCredentials(edges, profile, EXCHANGE_MS);
  }
  const { Version, AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials;
  const line = { Version, AccessKeyId, SecretAccessKey, SessionToken, Expiration };
  return printed(edges, `${JSON.stringify(line)}\n`);
}

function askCredentials(edges: ShimEdges, profile: string, answerMs?: number): Promise<Credentials> {
  return askDaemon<Credentials>(
    edges,
    { route: 'credentials', params: { profile }, ...(answerMs === undefined ? {} : { answerMs }) },
    () => requireProfile(edges, profile),
  );
}

function signInWaitMs({ name, env }: ShimEdges): number {
  const text = env.CCWB_SIGN_IN_WAIT_SECONDS;
  if (!text) return SIGN_IN_WAIT_SECONDS * 1_000;
  const seconds = Number(text);
  if (seconds >= 0 && seconds <= MAX_WAIT_SECONDS) return seconds * 1_000;
  throw usageError(
    name,
    `CCWB_SIGN_IN_WAIT_SECONDS is ${JSON.stringify(text)}; allowed: a number from 0 to ${MAX_WAIT_SECONDS}`,
  );
}

async function login(edges: ShimEdges, profile: string): Promise<number> {
  requireProfile(edges, profile);
  const { user } = await signIn(edges, {
    profile,
    automatic: false,
    openPages: true,
    waitMs: undefined,
    tell: edges.writeError,
  });
  edges.writeError(`signed in for ${profile}${user ? ` as ${user}` : ''}\n`);
  return 0;
}

async function clearCache(edges: ShimEdges, profile: string): Promise<number> {
  try {
    await askRunningDaemon(edges, { route: 'forgetCredentials', params: { profile } });
  } catch (error) {
    // Credentials live in the daemon's memory only: without a daemon there are none to forget.
    if (!isDaemonUnreachable(error)) throw error;
    requireProfile(edges, profile);
  }
  edges.writeError(`credentials for ${profile} forgotten\n`);
  return 0;
}

async function checkExpiration(edges: ShimEdges, profile: string): Promise<number> {
  try {
    const reply = await askRunningDaemon<ExpirationReply>(edges, {
      route: 'expiration',
      params: { profile },
    });
    const until = reply.expiration === null ? 'missing' : `until ${reply.expiration}`;
    edges.writeError(`credentials for ${profile}: ${reply.valid ? 'valid' : 'not valid'}, ${until}\n`);
    return reply.valid ? 0 : 1;
  } catch (error) {
    if (!isDaemonUnreachable(error)) throw error;
    requireProfile(edges, profile);
    edges.writeError(`credentials for ${profile}: missing, the daemon does not run\n`);
    return 1;
  }
}

async function refreshIfNeeded(edges: ShimEdges, profile: string): Promise<number> {
  const { Expiration } = await askCredentials(edges, profile, EXCHANGE_MS);
  edges.writeError(`credentials for ${profile}: valid, until ${Expiration}\n`);
  return 0;
}

async function getMonitoringToken(edges: ShimEdges, profile: string): Promise<number> {
  const { idToken } = await askDaemon<IdTokenReply>(
    edges,
    { route: 'idToken', params: { profile }, answerMs: EXCHANGE_MS },
    () => requireProfile(edges, profile),
  );
  return printed(edges, `${idToken}\n`);
}

async function explain(edges: ShimEdges, profile: string): Promise<number> {
  return printed(edges, `${JSON.stringify(explainProfile(edges.paths, profile), null, 2)}\n`);
}

async function printed(edges: ShimEdges, text: string): Promise<number> {
  await edges.writeOut(text);
  return 0;
}

await runProgram('credential-process', main);
