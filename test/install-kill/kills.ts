import { watch } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VersionReply } from '../../protocol/api.ts';
import { BUILD_VERSION } from '../../protocol/version.ts';
import { isStaleFile } from '../../shim/installation/layout.ts';
import { sectionsOf } from '../../shim/user-files/aws-files.ts';
import { SETTINGS } from '../../tools/support/package.ts';
import { type Random, seededRandom } from '../../tools/support/random.ts';
import { type EmptyHome, signInHome, treeOf } from '../fixtures/install.ts';

/** Longest time from an installer's start to its kill, if no change triggers the kill. */
const LATEST_KILL_MS = 1_200;
/** Longest time from a change to the kill. */
const AFTER_CHANGE_MS = 15;
/** Most changes in a folder before the kill. */
const MOST_CHANGES = 12;

const TRIGGERS = ['start', 'installation', 'versions', '.aws', '.claude'] as const;
type Trigger = (typeof TRIGGERS)[number];

export type Kill = {
  number: number;
  trigger: Trigger;
  delayMs: number;
  /** Build of the programs afterwards; `ended` if the installer finished before the kill. */
  found: string;
  /** The reason why neither the old nor the new installation works; undefined if one does. */
  broken: string | undefined;
};

/** A home with an installation, a signed-in user and two packages to switch between. */
export type Killing = { home: EmptyHome; packages: readonly [string, string]; before: readonly string[] };

const NEWER = '99.0.0';
const MINE = '[default]\nregion = eu-west-1';

export async function startKilling(t: { teardown(action: () => unknown): void }): Promise<Killing> {
  const { home, profile } = await signInHome(t);
  const another = { ...profile, aws_region: 'eu-west-1' };
  const telemetry = { ...SETTINGS.env, AWS_REGION: 'eu-west-1', OTEL_LOGS_EXPORTER: 'otlp' };
  const packages = [
    home.pack('one'),
    home.pack('two', {
      build: NEWER,
      profiles: { ClaudeCode: another },
      settings: { ...SETTINGS, env: telemetry },
    }),
  ] as const;
  await mkdir(join(home.home, '.aws'));
  await writeFile(join(home.home, '.aws/config'), MINE);
  const before = treeOf(home.home);
  await succeeds(home.install(packages[0]));
  await succeeds(home.run(home.program('bedrock-auth'), ['login']));
  return { home, packages, before };
}

/**
 * Kills the real installer with kill -9 at a random moment of an upgrade or downgrade. Then uses the installation, and
 * runs the installer to its end.
 *
 * The moment depends only on seed and number, so that one kill can be repeated alone.
 */
export async function killOnce({ home, packages }: Killing, seed: number, number: number): Promise<Kill> {
  const random = seededRandom(seed * 1_000_003 + number);
  const trigger = random.pick(TRIGGERS);
  const delayMs = random.between(0, trigger === 'start' ? LATEST_KILL_MS : AFTER_CHANGE_MS);
  const [pack, build] = number % 2 === 0 ? [packages[1], NEWER] : [packages[0], BUILD_VERSION];
  const ended = await installAndKill(home, pack, trigger, delayMs, random);
  const version = await home.run(home.program('bedrock-auth'), ['--version']);
  const problems = [
    [`bedrock-auth ${BUILD_VERSION}\n`, `bedrock-auth ${NEWER}\n`].includes(version.stdout)
      ? ''
      : `bedrock-auth --version gave ${version.stderr}`,
    await unusable(home),
    await notRepaired(home, pack, build),
  ].filter(Boolean);
  const found = ended ? 'ended' : (version.stdout.trim().split(' ').at(-1) ?? '');
  return { number, trigger, delayMs, found, broken: problems.length > 0 ? problems.join('; ') : undefined };
}

/** @returns true if the installer had ended before. */
async function installAndKill(
  home: EmptyHome,
  pack: string,
  trigger: Trigger,
  delayMs: number,
  random: Random,
): Promise<boolean> {
  const child = home.start(join(pack, 'install.sh'), []);
  const exited = new Promise<'exited'>((resolve) => child.once('close', () => resolve('exited')));
  const stopWatching = new AbortController();
  if (trigger !== 'start') {
    const folder = { installation: '.', versions: 'versions', '.aws': '../.aws', '.claude': '../.claude' }[
      trigger
    ];
    let changes = random.whole(1, MOST_CHANGES);
    const changed = new Promise<void>((resolve) => {
      watch(join(home.directory, folder), { signal: stopWatching.signal }, () => {
        changes -= 1;
        if (changes === 0) resolve();
      });
    });
    await Promise.race([changed, exited]);
  }
  const outcome = await Promise.race([sleep(delayMs), exited]);
  stopWatching.abort();
  // sh has replaced itself by Node.js, so the installer is one process.
  child.kill('SIGKILL');
  await exited;
  return outcome === 'exited';
}

/** Checks that AWS SDKs and Claude Code find working programs, and that the user's own settings are intact. */
async function unusable(home: EmptyHome): Promise<string> {
  const config = await readFile(join(home.home, '.aws/config'), 'utf8');
  if (!config.startsWith(MINE)) return '~/.aws/config lost what the user had';
  const settings = JSON.parse(await readFile(join(home.home, '.claude/settings.json'), 'utf8'));
  if (settings.env.AWS_PROFILE !== 'ClaudeCode') return 'settings.json lost the profile';
  const section = sectionsOf(config).find(({ profile }) => profile === 'ClaudeCode');
  const command = section?.settings.get('credential_process') ?? 'false';
  const credentials = await home.run('/bin/sh', ['-c', command], { env: { CCWB_SIGN_IN: 'off' } });
  if (credentials.status !== 0) return `credential-process gave ${credentials.stderr}`;
  const headers = await home.run('/bin/sh', ['-c', settings.otelHeadersHelper]);
  return /^\{.*\}\n$/s.test(headers.stdout) ? '' : `otel-helper gave ${headers.stdout}${headers.stderr}`;
}

/** Checks that the next run of the installer succeeds, with the same result as without the kill. */
async function notRepaired(home: EmptyHome, pack: string, build: string): Promise<string> {
  const { status, stderr, stdout } = await home.install(pack);
  if (status !== 0) return `the next run ended with ${status}: ${stderr}${stdout}`;
  const { stdout: version } = await home.run(home.program('bedrock-auth'), ['--version']);
  if (version !== `bedrock-auth ${build}\n`) return `after the next run it is ${version}`;
  const daemon = await home.client.ask<VersionReply>({ route: 'version', startingMs: 5_000 });
  if (daemon.build !== build) return `after the next run the daemon is ${daemon.build}`;
  const folders = [home.directory, join(home.home, '.aws'), join(home.home, '.claude')];
  const names = (await Promise.all(folders.map((folder) => readdir(folder)))).flat();
  const litter = names.filter((name) => isStaleFile(name) || name === 'installing');
  const versions = await readdir(join(home.directory, 'versions'));
  if (litter.length > 0 || versions.length !== 1) return `left over: ${[...litter, ...versions].join(', ')}`;
  return (await home.openedPages()).length === 1 ? '' : 'somebody had to sign in again';
}

/** Uninstalls, and checks that the home is as before the first installation. */
export async function notUndone({ home, before }: Killing): Promise<string> {
  const { status, stdout } = await home.uninstall();
  if (status !== 0) return stdout;
  const after = treeOf(home.home);
  return after.join('\n') === before.join('\n') ? '' : `left: ${after.join('\n')}`;
}

export async function* kills(
  killing: Killing,
  seed: number,
  from: number,
  count: number,
): AsyncGenerator<Kill> {
  for (let number = from; number < from + count; number += 1) yield await killOnce(killing, seed, number);
}

export function summary(done: readonly Kill[]): string {
  const counted = (of: (kill: Kill) => string): string => {
    const counts = new Map<string, number>();
    for (const kill of done) counts.set(of(kill), (counts.get(of(kill)) ?? 0) + 1);
    return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
  };
  const broken = done.filter((kill) => kill.broken !== undefined);
  return [
    `${done.length} kills: ${counted(({ trigger }) => trigger)}`,
    `found right after the kill: ${counted(({ found }) => found)}`,
    `${broken.length} installations broken`,
    ...broken.map(
      ({ number, trigger, delayMs, broken: why }) =>
        `  number ${number} (${trigger} + ${delayMs.toFixed(1)} ms): ${why}`,
    ),
  ].join('\n');
}

async function succeeds(running: ReturnType<EmptyHome['install']>): Promise<void> {
  const { status, stdout, stderr } = await running;
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
}
