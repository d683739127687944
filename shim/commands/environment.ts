import { constants } from 'node:os';
import { basename } from 'node:path';
import { singleQuote, singleQuoteForFish, singleQuoteForPowerShell } from '../../common/shell-quote.ts';
import type { Credentials } from '../../protocol/api.ts';
import { loadConfig, profileNamed } from '../../protocol/config.ts';
import { containerCredentialsUrl } from '../../protocol/container-credentials.ts';
import { CcwbError, errorLines } from '../../protocol/errors.ts';
import { askDaemon } from '../daemon/ask-daemon.ts';
import { chooseProfileName, requireProfile } from '../program/choose-profile.ts';
import type { ShimEdges } from '../program/edges.ts';
import { usageError } from '../program/errors.ts';
import { runInForeground } from '../program/processes.ts';
import { signIn } from '../sign-in/sign-in.ts';
import { formatMoment } from '../terminal/time-format.ts';

/**
 * Time limit in milliseconds of a first exchange of tokens for credentials, which takes a few calls to remote
 * servers.
 */
const EXCHANGE_MS = 15_000;

/** Variables that SDKs read before those set here, or in addition to them. */
const OUTDOING = [
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
] as const;

/** Variables that SDKs read before all others. */
const KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const;

/** The syntax of a shell: a comment, setting a variable, removing one. Values are quoted. */
type Shell = {
  comment(text: string): string;
  set(name: string, value: string): string;
  unset(name: string): string;
};

const SHELLS = {
  sh: {
    comment: (text) => `# ${text}`,
    set: (name, value) => `export ${name}=${singleQuote(value)}`,
    unset: (name) => `unset ${name}`,
  },
  fish: {
    comment: (text) => `# ${text}`,
    set: (name, value) => `set -gx ${name} ${singleQuoteForFish(value)}`,
    unset: (name) => `set -e ${name}`,
  },
  powershell: {
    comment: (text) => `# ${text}`,
    set: (name, value) => `$Env:${name} = ${singleQuoteForPowerShell(value)}`,
    unset: (name) => `Remove-Item Env:${name} -ErrorAction SilentlyContinue`,
  },
} as const satisfies Record<string, Shell>;

type ShellName = keyof typeof SHELLS;

/** Runs `bedrock-auth env`, which prints shell lines that set credentials or the address of the endpoint. */
export async function env(
  edges: ShimEdges,
  options: { profile?: string; shell?: string; container?: boolean },
): Promise<number> {
  const shell: Shell = SHELLS[shellMeant(edges, options.shell)];
  const profile = chooseProfileName(edges, options.profile);
  if (options.container) return containerEnv(edges, shell, profile);
  const credentials = await credentialsOf(edges, profile);
  const until = `valid until ${formatMoment(credentials.Expiration, edges.now())}`;
  const lines = [
    shell.comment(`AWS credentials of ${profile}, ${until}; they do not renew themselves.`),
    ...OUTDOING.filter((name) => edges.env[name] !== undefined).map((name) => shell.unset(name)),
    ...Object.entries(variables(edges, profile, credentials)).map(([name, value]) => shell.set(name, value)),
  ];
  await edges.writeOut(`${lines.join('\n')}\n`);
  return 0;
}

/**
 * Returns the variables of the container credentials endpoint: its address, and a token file that only this
 * user can read.
 */
async function containerEnv(edges: ShimEdges, shell: Shell, profile: string): Promise<number> {
  const { containerCredentialsPort: port } = profileNamed(loadConfig(edges.paths.config), profile);
  if (port === undefined) {
    throw new CcwbError(
      'ERR_CONFIG_INVALID',
      `${profile} serves no container credentials: ${edges.paths.config} has no container_credentials_port for it`,
      `add "container_credentials_port": 9911, or another free port, to the profile ${profile}`,
    );
  }
  const variables = {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: containerCredentialsUrl(port, profile),
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: edges.paths.containerToken,
  };
  const before = [...KEYS, ...OUTDOING].filter((name) => !Object.hasOwn(variables, name));
  const lines = [
    ...before.filter((name) => edges.env[name] !== undefined).map((name) => shell.unset(name)),
    ...Object.entries(variables).map(([name, value]) => shell.set(name, value)),
  ];
  await edges.writeOut(`${lines.join('\n')}\n`);
  return 0;
}

/** Runs `bedrock-auth exec`: a command with credentials in its environment. Ends as the command ends. */
export async function exec(
  edges: ShimEdges,
  options: { profile?: string },
  [file = '', ...args]: readonly string[],
): Promise<number> {
  const profile = chooseProfileName(edges, options.profile);
  const credentials = await credentialsOf(edges, profile);
  const environment = { ...edges.env, ...variables(edges, profile, credentials) };
  for (const name of OUTDOING) delete environment[name];
  const child = runInForeground(file, args, environment);
  edges.takeSignals((signal) => {
    // The terminal sent these signals to the command too. A second one could mean something else to it.
    if (!(edges.terminalInput && (signal === 'SIGINT' || signal === 'SIGQUIT'))) child.kill(signal);
  });
  const end = await child.ended;
  if (end.kind === 'exited') return end.status;
  const reason = end.kind === 'failed' ? end.reason : '';
  const number = (constants.signals as Readonly<Record<string, number>>)[reason];
  if (number !== undefined) return 128 + number;
  const missing = reason === 'ENOENT';
  const problem = missing ? 'there is no such program' : `it cannot be run (${reason})`;
  const fix = 'give a program on the PATH, or its path';
  edges.writeError(
    errorLines(edges.name, new CcwbError('ERR_USAGE', `${JSON.stringify(file)}: ${problem}`, fix)),
  );
  return missing ? 127 : 126;
}

/**
 * Returns credentials from the daemon, which is started if none runs. Signs in if the user is signed out.
 *
 * @throws CcwbError
 */
async function credentialsOf(edges: ShimEdges, profile: string): Promise<Credentials> {
  const ask = (): Promise<Credentials> =>
    askDaemon<Credentials>(edges, { route: 'credentials', params: { profile }, answerMs: EXCHANGE_MS }, () =>
      requireProfile(edges, profile),
    );
  try {
    return await ask();
  } catch (error) {
    const signedOut = error instanceof CcwbError && error.code === 'ERR_LOGIN_REQUIRED';
    if (!signedOut || edges.env.CCWB_SIGN_IN === 'off') throw error;
    // A script may run this in a loop, so these sign-ins are capped.
    const options = { profile, automatic: true, openPages: true, waitMs: undefined, tell: edges.writeError };
    await signIn(edges, options);
    return ask();
  }
}

/**
 * Returns the variables for a profile's credentials. The region is that of the profile, unless the shell sets
 * one.
 */
function variables(edges: ShimEdges, profile: string, credentials: Credentials): Record<string, string> {
  const region = edges.env.AWS_REGION ?? edges.env.AWS_DEFAULT_REGION;
  const own = region === undefined ? regionOf(edges, profile) : undefined;
  return {
    AWS_ACCESS_KEY_ID: credentials.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.SecretAccessKey,
    AWS_SESSION_TOKEN: credentials.SessionToken,
    AWS_CREDENTIAL_EXPIRATION: credentials.Expiration,
    ...(own === undefined ? {} : { AWS_REGION: own, AWS_DEFAULT_REGION: own }),
  };
}

/**
 * Returns the region of a profile. Undefined if config.json cannot be read while the daemon still has an
 * older one.
 */
function regionOf({ paths }: ShimEdges, profile: string): string | undefined {
  try {
    return loadConfig(paths.config).profiles.get(profile)?.awsRegion;
  } catch {
    return undefined;
  }
}

function shellMeant({ name, env: environment }: ShimEdges, flag: string | undefined): ShellName {
  const shell = flag ?? (basename(environment.SHELL ?? '') === 'fish' ? 'fish' : 'sh');
  if (shell === 'sh' || shell === 'fish' || shell === 'powershell') return shell;
  const allowed = Object.keys(SHELLS).join(', ');
  throw usageError(name, `--shell is ${JSON.stringify(shell)}; allowed: ${allowed}`);
}
