import { accessSync, constants, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { startDesktopProgram } from '../program/processes.ts';
import { canRunWindowsPrograms, type HostEnvironment, hasDisplay, hostKindOf } from './graphical-session.ts';

/** The facts that the choice of a browser depends on. */
export type BrowserHost = HostEnvironment & {
  /** True when the file exists and may be run. */
  isProgram(path: string): boolean;
};

/** A program that shows the page; `%s` in an argument stands for the URL. */
export type Opener = readonly [file: string, ...args: string[]];

/**
 * Time in milliseconds that an opener is watched. It must be well below the time the daemon allows for
 * opening the page. Most openers have passed on the page or failed long before.
 */
export const OPENER_WATCH_MS = 1_500;

/** Browsers that need the terminal, which another program uses here. */
const TEXT_BROWSERS = ['w3m', 'lynx', 'links', 'links2', 'elinks', 'www-browser'];

/** Path in WSL of the Windows program that opens a URL in the user's browser. */
const WINDOWS_OPENER = '/mnt/c/Windows/System32/rundll32.exe';

/**
 * Returns the programs that can show a page to the person at this machine, best first. Empty if nobody would
 * see it. `BROWSER` (a list separated by colons, `%s` for the URL) overrides the platform's own program,
 * because editors use it to open pages on the local machine. `CCWB_BROWSER=none` never opens a page.
 */
export function findOpeners(desktop: BrowserHost): Opener[] {
  const { env } = desktop;
  if (env.CCWB_BROWSER === 'none') return [];
  const chosen = (env.CCWB_BROWSER || env.BROWSER || '')
    .split(':')
    .map((entry) => (desktop.isProgram(entry) ? [entry] : entry.split(' ').filter(Boolean)))
    .filter(isOpener)
    .filter(([file]) => !TEXT_BROWSERS.includes(file.split('/').at(-1) ?? ''));
  return [...chosen, ...platformOpeners(desktop)]
    .map(([file, ...args]): Opener | undefined => {
      const path = findProgram(desktop, file);
      if (path === undefined) return undefined;
      return [path, ...(args.some((arg) => arg.includes('%s')) ? args : [...args, '%s'])];
    })
    .filter((opener) => opener !== undefined);
}

function isOpener(words: string[]): words is [string, ...string[]] {
  return words.length > 0;
}

function platformOpeners(desktop: BrowserHost): Opener[] {
  // Over SSH `open` would show the page on a screen that the user may not see.
  if (desktop.platform === 'darwin') return hostKindOf(desktop) === 'ssh' ? [] : [['/usr/bin/open']];
  // explorer.exe is not used: it ends with 1 even if it opened the page.
  const windows: Opener[] = canRunWindowsPrograms(desktop)
    ? [['wslview'], [WINDOWS_OPENER, 'url.dll,FileProtocolHandler']]
    : [];
  const display: Opener[] = hasDisplay(desktop) ? [['xdg-open']] : [];
  return [...windows, ...display];
}

function findProgram({ env, isProgram }: BrowserHost, file: string): string | undefined {
  if (file.includes('/')) return isProgram(file) ? file : undefined;
  const directories = (env.PATH ?? '').split(':').filter(isAbsolute);
  return directories.map((directory) => join(directory, file)).find(isProgram);
}

/**
 * Shows `url` with the first opener that accepts it. The URL is one argument of a program, never part of a
 * shell command. False if every opener failed.
 */
export async function openPage(
  url: string,
  openers: readonly Opener[],
  env: HostEnvironment['env'],
): Promise<boolean> {
  for (const [file, ...args] of openers) {
    const filled = args.map((arg) => arg.replaceAll('%s', () => url));
    const end = await startDesktopProgram(file, filled, env, OPENER_WATCH_MS);
    if (end.kind === 'running' || (end.kind === 'exited' && end.status === 0)) return true;
  }
  return false;
}

/** True when the file exists and this user may run it. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns the text of a file; undefined if it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
