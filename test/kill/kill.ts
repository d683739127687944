import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RefreshTokenState } from '../../sandbox/provider/identity-provider.ts';
import { seededRandom } from '../../tools/support/random.ts';
import type { Running } from '../faults/running.ts';

/** How long a rotated refresh token still works at the provider: Okta's default. */
export const GRACE_SECONDS = 30;

/** A daemon is killed so long after its start at most, when no event at the provider triggers it. */
const LATEST_KILL_MS = 900;
/** So long after an event at most. */
const AFTER_EVENT_MS = 50;

/** What the kill waits for before its random delay. */
const TRIGGERS = ['start', 'request', 'half', 'whole'] as const;
type Trigger = (typeof TRIGGERS)[number];

export type Kill = {
  number: number;
  trigger: Trigger;
  delayMs: number;
  /** What the store held right after the kill, as the provider sees it; undefined when it is not readable. */
  stored: RefreshTokenState | 'nothing' | undefined;
  /** Why the sign-in counts as lost; undefined when it is not. */
  lost: string | undefined;
};

/**
 * One kill: starts the daemon, which rotates the refresh token at once, kills it at a random moment of that,
 * and looks whether the next daemon has credentials without anybody signing in.
 *
 * The moment depends on seed and number alone, so that one kill can be repeated by itself.
 */
export async function killOnce(running: Running, seed: number, number: number): Promise<Kill> {
  const random = seededRandom(seed * 1_000_003 + number);
  const trigger = random.pick(TRIGGERS);
  const delayMs = trigger === 'start' ? random.between(0, LATEST_KILL_MS) : random.between(0, AFTER_EVENT_MS);
  const before = { ...running.sandbox.provider.counts };
  const pages = (await running.home.openedPages()).length;

  await startAndKill(running, trigger, delayMs);
  const stored = await storedState(running);
  const call = await running.call();
  await running.home.endDaemon('SIGKILL');

  const { refusedGrants } = running.sandbox.provider.counts;
  const opened = (await running.home.openedPages()).length - pages;
  const problems = [
    call.status === 0 ? '' : `the next daemon gave ${call.text}`,
    opened === 0 ? '' : `${opened} pages were opened`,
    refusedGrants === before.refusedGrants ? '' : 'the provider refused a refresh token',
    stored === 'spent' || stored === 'void' || stored === 'nothing' ? `the stored token was ${stored}` : '',
    await afterwards(running),
  ].filter(Boolean);
  return { number, trigger, delayMs, stored, lost: problems.length > 0 ? problems.join('; ') : undefined };
}

async function startAndKill(running: Running, trigger: Trigger, delayMs: number): Promise<void> {
  const { provider } = running.sandbox;
  const triggered = new AbortController();
  const happened = new Promise<void>((resolve) =>
    triggered.signal.addEventListener('abort', () => resolve()),
  );
  const removals = [
    provider.onTokenRequest(() => void (trigger === 'request' && triggered.abort())),
    provider.onTokenReply((moment) => void (trigger === moment && triggered.abort())),
  ];
  const { home } = running;
  const flags = ['--tick-seconds', '1', '--log-file', join(home.directory, 'logs/daemon.log')];
  const child = home.start(home.program('bedrock-authd'), flags);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    if (trigger !== 'start') await Promise.race([happened, ended]);
    await sleep(delayMs);
    child.kill('SIGKILL');
    await ended;
  } finally {
    for (const remove of removals) remove();
  }
}

/** What the session file holds now is what the next daemon starts with. */
async function storedState(running: Running): Promise<Kill['stored']> {
  const directory = join(running.home.env.XDG_RUNTIME_DIR ?? '', 'claude-code-with-bedrock/sessions');
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.json'));
  if (names.length === 0) return (await usesKeyring(running)) ? undefined : 'nothing';
  const text = await readFile(join(directory, names[0] ?? ''), 'utf8');
  const { refreshToken } = JSON.parse(text) as { refreshToken: string };
  return running.sandbox.provider.refreshTokenState(refreshToken);
}

/** After the recovery the token in the store is the provider's current one, and its only one. */
async function afterwards(running: Running): Promise<string> {
  const state = await storedState(running);
  return state === undefined || state === 'current' ? '' : `afterwards the stored token was ${state}`;
}

async function usesKeyring({ home }: Running): Promise<boolean> {
  return (await readFile(join(home.directory, 'config.json'), 'utf8')).includes('"keyring"');
}

/** Many kills, one after the other. */
export async function* kills(
  running: Running,
  seed: number,
  from: number,
  count: number,
): AsyncGenerator<Kill> {
  for (let number = from; number < from + count; number += 1) yield await killOnce(running, seed, number);
}

export function summary(done: readonly Kill[]): string {
  const counted = (of: (kill: Kill) => string): string => {
    const counts = new Map<string, number>();
    for (const kill of done) counts.set(of(kill), (counts.get(of(kill)) ?? 0) + 1);
    return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
  };
  const lost = done.filter((kill) => kill.lost !== undefined);
  return [
    `${done.length} kills: ${counted(({ trigger }) => trigger)}`,
    `the stored token right after the kill: ${counted(({ stored }) => stored ?? 'in the keyring')}`,
    `${lost.length} sign-ins lost`,
    ...lost.map(
      ({ number, trigger, delayMs, lost: why }) =>
        `  number ${number} (${trigger} + ${delayMs.toFixed(1)} ms): ${why}`,
    ),
  ].join('\n');
}
