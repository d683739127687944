/** The environment of the programs under test: only network settings come from the administrator. */
import { accessSync, chmodSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { networkSettingsFrom } from '../../common/network-settings.ts';
import { singleQuote } from '../../common/shell-quote.ts';
import type { Environment } from '../edges.ts';
import type { TrialFolders } from './trial-folders.ts';

/** Variables that are passed on. Any other could lead to the administrator's own installation. */
const KEPT = ['PATH', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'SSL_CERT_FILE', 'SSL_CERT_DIR'] as const;

/** Variables that only the choice of a browser depends on. */
const DESKTOP = [
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'container', 'KUBERNETES_SERVICE_HOST', 'WSL_DISTRO_NAME', 'WSL_INTEROP'],
  ...['SSH_CONNECTION', 'SSH_TTY', 'SSH_CLIENT'],
];

/** Variables that the browser gets back from the administrator. */
const OWN = [
  ...['HOME', 'TMPDIR', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME'],
  ...['XDG_DATA_DIRS', 'XDG_CONFIG_DIRS', 'XDG_CURRENT_DESKTOP', 'XDG_SESSION_TYPE', 'DESKTOP_SESSION'],
  ...['DBUS_SESSION_BUS_ADDRESS', 'XAUTHORITY', 'BROWSER'],
];

/** The environment of a user who has nothing but a home. */
export function userEnvironment({ home, runtime, temporary }: TrialFolders, env: Environment): Environment {
  return {
    ...picked(KEPT, env),
    ...networkSettingsFrom(env),
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    TMPDIR: temporary,
    NO_COLOR: '1',
  };
}

/**
 * The same for a sign-in, whose page is to open in the browser that the administrator uses, with its own profile:
 * there the identity provider knows them.
 */
export function signInEnvironment(folders: TrialFolders, env: Environment): Environment {
  const user = { ...userEnvironment(folders, env), ...picked(DESKTOP, env) };
  if (env.CCWB_BROWSER === 'none') return { ...user, CCWB_BROWSER: 'none' };
  const entries = (env.CCWB_BROWSER || env.BROWSER || '').split(':').filter(Boolean);
  if (env.DISPLAY || env.WAYLAND_DISPLAY) entries.push('xdg-open');
  const openers = entries.map((entry, index) => opener(join(folders.openers, String(index)), entry, env));
  return openers.length === 0 ? user : { ...user, BROWSER: openers.join(':') };
}

/** A program of the same name that gives the browser the administrator's home, not the temporary one. */
function opener(folder: string, entry: string, env: Environment): string {
  const words = isProgram(entry) ? [entry] : entry.split(' ').filter(Boolean);
  const [program = '', ...args] = words;
  const path = join(folder, basename(program));
  const lines = OWN.map((name) => {
    const value = env[name];
    return value === undefined ? `unset ${name}` : `export ${name}=${singleQuote(value)}`;
  });
  const address = args.some((arg) => arg.includes('%s')) ? [] : ['"$1"'];
  const command = [program, ...args].map((word) => singleQuote(word).replaceAll('%s', `'"$1"'`));
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(path, `#!/bin/sh\n${lines.join('\n')}\nexec ${[...command, ...address].join(' ')}\n`);
  chmodSync(path, 0o700);
  return path;
}

function picked(names: readonly string[], env: Environment): Record<string, string> {
  const set = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return Object.fromEntries(set);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
