import { setTimeout as sleep } from 'node:timers/promises';
import type { ProfileStatus, StatusReply } from '../../protocol/api.ts';
import { asCcwbError, errorLines } from '../../protocol/errors.ts';
import { isDaemonUnreachable } from '../daemon/ask-daemon.ts';
import type { ShimEdges } from '../program/edges.ts';
import { isOutputClosed } from '../program/errors.ts';
import { formatClockTime } from '../terminal/time-format.ts';
import { type NoStatus, noStatus, notRunning, readStatus } from './read-status.ts';
import { viewOf } from './status-view.ts';

/** Pause between two requests for the status, in milliseconds. The daemon answers from memory. */
const LOOK_MS = 1_000;

/** The daemon's reply, or the reason why there is none. */
type Seen = { reply: StatusReply } | { trouble: string };

export type WatchOptions = { profile?: string; json?: boolean };

/**
 * Shows the status until it is interrupted, which is no failure. On a terminal it fills the screen, and on
 * exit restores it with the last view. Otherwise it prints a line for each change.
 *
 * @throws CcwbError ERR_PROFILE_UNKNOWN
 */
export async function watch(edges: ShimEdges, options: WatchOptions): Promise<number> {
  const show = options.json ? jsonLines(edges) : edges.terminal ? screen(edges) : lines(edges);
  try {
    while (!edges.interrupted.aborted) {
      await show.next(await look(edges, options.profile));
      await sleep(LOOK_MS, undefined, { signal: edges.interrupted }).catch(() => {});
    }
  } catch (error) {
    if (!isOutputClosed(error)) throw error;
  } finally {
    await show.end();
  }
  return 0;
}

type Show = { next(seen: Seen): Promise<void>; end(): Promise<void> };

async function look(edges: ShimEdges, profile: string | undefined): Promise<Seen> {
  try {
    return { reply: await readStatus(edges, profile) };
  } catch (thrown) {
    const error = isDaemonUnreachable(thrown) ? notRunning(edges) : asCcwbError(thrown);
    if (error.code === 'ERR_PROFILE_UNKNOWN') throw error;
    return { trouble: errorLines(edges.name, error) };
  }
}

/** Control sequences of xterm: the second screen, the cursor, breaking of lines, one frame at a time. */
const SCREEN = {
  enter: '\x1b[?1049h\x1b[?25l\x1b[?7l',
  leave: '\x1b[?7h\x1b[?25h\x1b[?1049l',
  frame: '\x1b[?2026h\x1b[H',
  endOfLine: '\x1b[K',
  endOfFrame: '\x1b[J\x1b[?2026l',
} as const;

/**
 * Returns a function that writes each frame over the last one. Nothing is cleared first, so nothing flickers.
 */
function screen(edges: ShimEdges): Show {
  let last: string | undefined;
  return {
    next: async (seen) => {
      const view = 'reply' in seen ? viewOf(edges, seen.reply) : seen.trouble;
      const { rows } = edges.size();
      const shown = [...view.trimEnd().split('\n'), '', `${formatClockTime(edges.now())}  Ctrl-C ends this`];
      const text = shown.slice(0, rows).map((line) => line + SCREEN.endOfLine);
      const enter = last === undefined ? SCREEN.enter : '';
      last = view;
      await edges.writeOut(enter + SCREEN.frame + text.join('\r\n') + SCREEN.endOfFrame);
    },
    end: async () => {
      if (last !== undefined) await edges.writeOut(SCREEN.leave + last);
    },
  };
}

function lines(edges: ShimEdges): Show {
  const before = new Map<string, string>();
  const change = async (name: string, text: string): Promise<void> => {
    if (before.get(name) === text) return;
    before.set(name, text);
    await edges.writeOut(`${formatClockTime(edges.now())}  ${name.padEnd(12)}  ${text}\n`);
  };
  return {
    next: async (seen) => {
      if ('trouble' in seen) return change('daemon', seen.trouble.split('\n')[0] ?? '');
      const { daemon, profiles } = seen.reply;
      await change('daemon', `running, version ${daemon.build}, process ${daemon.pid}`);
      for (const profile of profiles) await change(profile.profile, inOneLine(profile));
    },
    end: async () => {},
  };
}

function inOneLine({ state, user, credentialsUntil, problem }: ProfileStatus): string {
  const parts = [
    `${state.replace('-', ' ')}${user ? ` as ${user}` : ''}`,
    `credentials ${credentialsUntil === null ? 'none' : `until ${formatClockTime(Date.parse(credentialsUntil))}`}`,
    ...(problem ? [`${problem.message} (${problem.code})`] : []),
  ];
  return parts.join(', ');
}

function jsonLines(edges: ShimEdges): Show {
  let before: string | undefined;
  return {
    next: async (seen) => {
      const value: StatusReply | NoStatus = 'reply' in seen ? seen.reply : noStatus(edges);
      const text = `${JSON.stringify(value)}\n`;
      if (text === before) return;
      before = text;
      await edges.writeOut(text);
    },
    end: async () => {},
  };
}
