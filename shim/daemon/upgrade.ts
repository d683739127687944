import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DrainReply, DrainRequest, VersionReply } from '../../protocol/api.ts';
import { CLIENT_TIMING } from '../../protocol/client.ts';
import { BUILD_VERSION, isOlder } from '../../protocol/version.ts';
import type { ShimEdges } from '../program/edges.ts';
import { isProcessRunning } from './process-lock.ts';
import { startDaemon } from './start-daemon.ts';

/** Time limits in milliseconds. */
export const UPGRADE_TIMING = {
  /** Longest wait of a caller for an older daemon to end. The older one still serves. */
  giveWayMs: 2_000,
  /** Pause in milliseconds after a daemon refused to be replaced. */
  retryMs: 3_600_000,
} as const;

/** Pause between two checks that a daemon still runs, in milliseconds. */
const LOOK_MS = CLIENT_TIMING.retryMs;

/**
 * Replaces a daemon of an earlier build, which has just answered this program, by one of this build. Never
 * throws: the answer is valid even if the upgrade fails.
 *
 * One caller at a time tries it, and once an hour for the same two builds. So a daemon that cannot be
 * replaced, such as a service of another folder, is not restarted with every call.
 *
 * @returns true if a daemon that is not older answers now.
 */
export async function replaceOlderDaemon(edges: ShimEdges): Promise<boolean> {
  const answered = edges.daemon.answeredBy();
  if (!answered || !isOlder(answered) || edges.interrupted.aborted) return false;
  const attempt = beginAttempt(edges, `${answered.build} ${BUILD_VERSION}\n`);
  if (!attempt) return false;
  try {
    const old = await findRunningDaemon(edges);
    if (old && isOlder(old)) {
      const outcome = await drainDaemon(edges, old, UPGRADE_TIMING.giveWayMs);
      // The daemon ends by itself when its sign-in or work is done, and the next caller starts the new one.
      if (outcome === 'signing-in') attempt.forget();
      if (outcome !== 'gone') return false;
      await startDaemon(edges);
    }
    const now = await edges.daemon.ask<VersionReply>({
      route: 'version',
      startingMs: CLIENT_TIMING.startingMs,
    });
    if (!isOlder(now)) {
      attempt.forget();
      return true;
    }
    edges.writeError(
      `${edges.name}: the daemon is still ${now.build}, not ${BUILD_VERSION}\n` +
        '  fix: run bedrock-auth service status\n',
    );
  } catch {
    // The next request reports what is wrong with the daemon.
  }
  return false;
}

/** Returns the daemon that answers now; undefined if none does. */
export async function findRunningDaemon({ daemon }: ShimEdges): Promise<VersionReply | undefined> {
  try {
    return await daemon.ask<VersionReply>({ route: 'version' });
  } catch {
    return undefined;
  }
}

/**
 * Asks the daemon to end and waits until it has. `signing-in`: it ends after the sign-in in progress, and is
 * not waited for. `busy`: it has not ended within `limitMs`.
 *
 * @param request `now`: the sign-in is cancelled.
 */
export async function drainDaemon(
  edges: ShimEdges,
  old: Pick<VersionReply, 'pid'>,
  limitMs: number,
  request: DrainRequest = { now: false },
): Promise<'gone' | 'signing-in' | 'busy'> {
  const deadline = performance.now() + limitMs;
  const { state } = await edges.daemon.ask<DrainReply>({ route: 'drain', body: request });
  if (state === 'signing-in' && !request.now) return 'signing-in';
  return (await waitUntilGone(edges, old, deadline - performance.now())) ? 'gone' : 'busy';
}

/** True as soon as no daemon answers, or a different one does. False after `limitMs`. */
export async function waitUntilGone(
  { daemon, interrupted }: ShimEdges,
  old: Pick<VersionReply, 'pid'>,
  limitMs: number,
): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  const inTime = (): boolean => performance.now() < deadline && !interrupted.aborted;
  for (;;) {
    const answerMs = Math.max(1, deadline - performance.now());
    try {
      const { pid } = await daemon.ask<VersionReply>({ route: 'version', answerMs, signal: interrupted });
      if (pid !== old.pid) return true;
    } catch {
      // The connection was refused, or the answer is incomplete: the next daemon will take over.
      return inTime();
    }
    if (!inTime()) return false;
    await sleep(LOOK_MS);
  }
}

/** Waits until a process has ended. False after `limitMs`. */
export async function waitUntilExited(pid: number, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (isProcessRunning(pid)) {
    if (performance.now() >= deadline) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

/**
 * Creates the file of an upgrade attempt, which keeps other callers from trying and records a failed attempt.
 * Undefined if another caller tries it, or tried it within the last hour, for the same builds.
 */
function beginAttempt({ paths, now }: ShimEdges, builds: string): { forget(): void } | undefined {
  const mark = join(dirname(paths.log), 'daemon.upgrade');
  try {
    mkdirSync(dirname(mark), { recursive: true, mode: 0o700 });
    const stat = statSync(mark, { throwIfNoEntry: false });
    if (stat) {
      const fresh = Math.abs(now() - stat.mtimeMs) < UPGRADE_TIMING.retryMs;
      if (fresh && readFileSync(mark, 'utf8') === builds) return undefined;
      rmSync(mark, { force: true });
    }
    const fd = openSync(mark, 'wx', 0o600);
    writeFileSync(fd, builds);
    closeSync(fd);
    return { forget: () => rmSync(mark, { force: true }) };
  } catch {
    // Without this file, every call would attempt the upgrade.
    return undefined;
  }
}
