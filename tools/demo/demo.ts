/** `npm run demo`: the main job, from the sign-in to a verified call to AWS, on this machine alone. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Credentials, ProfileStatus } from '../../protocol/api.ts';
import { signInOverHttp } from '../../sandbox/browser/browserless.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { freePort } from '../support/free-port.ts';
import { type Installation, install } from '../support/installation.ts';

const HELP = `npm run demo: one sign-in, and every AWS tool gets its credentials from the daemon.
An identity provider and AWS endpoints of its own run on 127.0.0.1. Nothing outside a temporary home is touched.

Usage: npm run demo -- [options]
  --once       show everything once, clean up and exit with 0
  --browser    sign in yourself, in your browser (user demo, password demo)
  -h, --help   print this help
`;

/** Short, so that a refresh ahead of expiry can be watched: credentials of an hour are renewed at 25 min. */
const CREDENTIAL_SECONDS = 20;
const TICK_SECONDS = 1;

const say = (text = ''): void => void process.stdout.write(`${text}\n`);
const step = (text: string): void => say(`\n\u25b8 ${text}`);

const { once, browser } = readFlags();
const cleanUps: (() => Promise<void>)[] = [];
let leaving: Promise<void> | undefined;
process.once('SIGINT', () => void leave(130)).once('SIGTERM', () => void leave(143));

try {
  await show();
  if (once) await leave(0);
} catch (error) {
  if (!leaving) process.stderr.write(`\ndemo: ${error instanceof Error ? error.message : error}\n`);
  await leave(1);
}

async function show(): Promise<void> {
  step('Starting an identity provider and AWS endpoints on this machine');
  const redirectPort = await freePort();
  const sandbox = await startSandbox({
    provider: { redirectPorts: [redirectPort] },
    aws: { credentialSeconds: CREDENTIAL_SECONDS },
  });
  cleanUps.push(() => sandbox.close());
  say(`  identity provider   ${sandbox.provider.issuer}`);
  say(`  AWS                 ${sandbox.aws.url}  (Cognito, STS, Bedrock)`);

  step('Starting the daemon in a home of its own');
  const home = await install({
    profiles: { ClaudeCode: sandbox.profile({ redirect_port: redirectPort }) },
    ...(browser ? { env: screenOf(process.env), browser: 'desktop' } : { browser: 'none' }),
  });
  cleanUps.push(() => home.remove());
  const daemon = home.start(home.program('bedrock-authd'), [
    '--tick-seconds',
    String(TICK_SECONDS),
    '--log-file',
    `${home.home}/daemon.log`,
  ]);
  daemon.unref();
  const version = await home.client.ask<{ pid: number }>({ route: 'version', startingMs: 10_000 });
  say(`  bedrock-authd       pid ${version.pid}, home ${home.home}`);

  step(
    browser
      ? 'Your browser opens: sign in as demo, password demo'
      : "Signing in through the provider's pages",
  );
  await signIn(home);
  const signedIn = await profileOf(home);
  say(`  signed in as        ${signedIn.user}`);

  step('credential-process --profile ClaudeCode, as every AWS SDK runs it');
  const first = await credentials(home);
  const shown = {
    ...first,
    SecretAccessKey: mask(first.SecretAccessKey),
    SessionToken: mask(first.SessionToken),
  };
  say(indent(JSON.stringify(shown, null, 4)));

  await showCallerIdentity(home, sandbox.aws.url);

  step(`Waiting for the daemon to renew them: ${CREDENTIAL_SECONDS} s of life here, an hour at AWS`);
  const next = await renewed(home, first);
  say(`  before              ${first.AccessKeyId}, valid until ${first.Expiration}`);
  say(`  now                 ${next.AccessKeyId}, valid until ${next.Expiration}`);

  if (once) return;
  const shell = join(home.home, 'env.sh');
  await writeFile(shell, shellSettings(home));
  step('Everything keeps running until Ctrl-C here. To try it in another terminal:');
  say(`  . ${shell}`);
  say(`  aws sts get-caller-identity --endpoint-url ${sandbox.aws.url}`);
  say('  bedrock-auth status');
}

/** Returns the shell settings to use this installation in another terminal beside the user's own. */
function shellSettings(home: Installation): string {
  return `export CCWB_SOCKET='${home.socket}'
export CCWB_CONFIG='${home.directory}/config.json'
export AWS_CONFIG_FILE='${home.home}/.aws/config'
export AWS_PROFILE=ClaudeCode
export PATH='${home.directory}':"$PATH"
`;
}

async function signIn(home: Installation): Promise<void> {
  const login = home.start(home.program('bedrock-auth'), ['login']);
  let told = '';
  let walk: Promise<unknown> | undefined;
  const listen = (text: Buffer): void => {
    told += text.toString();
    const url = /http:\/\/127\.0\.0\.1:\S+/.exec(told)?.[0];
    if (url && !walk && /\s$/.test(told)) {
      say(`  page                ${url.slice(0, 56)}\u2026`);
      if (!browser) walk = signInOverHttp(url);
    }
  };
  login.stdout?.on('data', listen);
  login.stderr?.on('data', listen);
  const status = await new Promise<number | null>((resolve) => login.once('close', resolve));
  await walk;
  if (status !== 0) throw new Error(`bedrock-auth login ended with ${status}:\n${told}`);
}

async function showCallerIdentity(home: Installation, endpoint: string): Promise<void> {
  const cli = ['/usr/bin/aws', '/usr/local/bin/aws'].find(existsSync);
  if (cli) {
    step('aws sts get-caller-identity --profile ClaudeCode');
    const { status, stdout, stderr } = await home.run(cli, [
      ...[
        'sts',
        'get-caller-identity',
        '--profile',
        'ClaudeCode',
        '--output',
        'json',
        '--endpoint-url',
        endpoint,
      ],
    ]);
    if (status !== 0) throw new Error(`the AWS CLI ended with ${status}: ${stderr.trim()}`);
    say(indent(stdout.trim()));
    return;
  }
  step('sts:GetCallerIdentity with the AWS SDK for JavaScript (no AWS CLI on this machine)');
  const script = new URL('../support/caller-identity.js', import.meta.url).pathname;
  const { status, stdout, stderr } = await home.run(process.execPath, [script, endpoint, 'ClaudeCode']);
  if (status !== 0) throw new Error(`the AWS SDK failed: ${stderr.trim()}`);
  say(indent(stdout.trim()));
}

async function credentials(home: Installation): Promise<Credentials> {
  const { status, stdout, stderr } = await home.run(home.program('credential-process'), [
    '--profile',
    'ClaudeCode',
  ]);
  if (status !== 0) throw new Error(stderr.trim());
  return JSON.parse(stdout) as Credentials;
}

/** Watches the daemon's status, without asking for credentials, until they have been renewed. */
async function renewed(home: Installation, before: Credentials): Promise<Credentials> {
  for (;;) {
    const { credentialsUntil } = await profileOf(home);
    if (credentialsUntil !== null && credentialsUntil > before.Expiration) return credentials(home);
    if (Date.now() > Date.parse(before.Expiration) + 10_000)
      throw new Error('the credentials were not renewed');
    await sleep(250);
  }
}

async function profileOf(home: Installation): Promise<ProfileStatus> {
  const [profile] = (await home.status()).profiles;
  if (!profile) throw new Error('the daemon has no profile');
  return profile;
}

/** Ends everything that was started, last first, however often it is called. */
async function leave(status: number): Promise<void> {
  leaving ??= (async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp().catch(() => {});
    process.exitCode = status;
    process.exit();
  })();
  await leaving;
}

function readFlags(): { once: boolean; browser: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean' },
        browser: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    return { once: values.once ?? false, browser: values.browser ?? false };
  } catch (error) {
    process.stderr.write(
      `demo: ${(error as Error).message} (ERR_USAGE)\n  fix: run npm run demo -- --help\n`,
    );
    process.exit(2);
  }
}

/** Returns the variables a browser needs to appear on this user's screen. */
function screenOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const names = [
    'DISPLAY',
    'WAYLAND_DISPLAY',
    'XAUTHORITY',
    'DBUS_SESSION_BUS_ADDRESS',
    'BROWSER',
    'WSL_DISTRO_NAME',
    'WSL_INTEROP',
  ];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

function mask(secret: string): string {
  return `${secret.slice(0, 4)}${'\u2022'.repeat(12)}`;
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
