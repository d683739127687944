/**
 * Network settings of the daemon. A service does not inherit the shell's environment, so network.json keeps
 * the settings of the shell that installed the service.
 */
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { CcwbError } from '../protocol/errors.ts';
import { isObject } from '../protocol/json.ts';
import { readFileIfExists, replaceFile } from './atomic-file.ts';

/** Names of the settings in network.json; the environment uses the same names. */
export const NETWORK_SETTING_NAMES = [
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'NODE_EXTRA_CA_CERTS',
] as const;

export type NetworkSettingName = (typeof NETWORK_SETTING_NAMES)[number];

/**
 * `HTTPS_PROXY`, `HTTP_PROXY`: http or https URL of a proxy; without a scheme, http. `NO_PROXY`: hosts
 * reached without one, separated by commas. `NODE_EXTRA_CA_CERTS`: absolute path of a PEM file.
 */
export type NetworkSettings = { [name in NetworkSettingName]?: string };

/** Marks a network.json that a program wrote. A file that a person wrote is never removed. */
const WRITTEN_BY = 'written_by';
const OURS = 'bedrock-auth service install';

/**
 * Reads network.json; returns no settings if it does not exist. Unknown names are ignored.
 *
 * @throws CcwbError ERR_CONFIG_INVALID with file, field, value (without user and password) and what is allowed.
 */
export function readNetworkSettings(path: string): NetworkSettings {
  const root = readObject(path) ?? {};
  const settings: NetworkSettings = {};
  for (const name of NETWORK_SETTING_NAMES) {
    const value = root[name];
    if (value === undefined || value === null || value === '') continue;
    const allowed = typeof value === 'string' ? problemWith(name, value) : 'text';
    if (allowed !== undefined) {
      const shown = typeof value === 'string' ? JSON.stringify(maskProxy(value)) : typeof value;
      throw invalid(path, `${name}: must be ${allowed}, received ${shown}`);
    }
    settings[name] = value as string;
  }
  return settings;
}

/**
 * Replaces the settings in network.json and keeps unknown names. Mode 0600: the URL of a proxy may hold a
 * password.
 *
 * @returns true if the file changed.
 * @throws CcwbError ERR_CONFIG_INVALID if the existing file is no JSON object.
 */
export function writeNetworkSettings(path: string, settings: NetworkSettings): boolean {
  const existing = readObject(path);
  const others = othersOf(existing ?? {});
  if (existing === undefined && Object.keys(settings).length === 0) return false;
  const ours = existing === undefined || existing[WRITTEN_BY] === OURS ? { [WRITTEN_BY]: OURS } : {};
  return replaceFile(path, asText({ ...settings, ...others, ...ours }), 0o600);
}

/**
 * Removes the settings that {@link writeNetworkSettings} wrote, and the file if nothing else is in it. A
 * file that a person wrote stays as it is.
 *
 * @returns true if the file changed.
 */
export function removeNetworkSettings(path: string): boolean {
  const existing = readObject(path);
  if (existing?.[WRITTEN_BY] !== OURS) return false;
  const others = othersOf(existing);
  if (Object.keys(others).length > 0) return replaceFile(path, asText(others), 0o600);
  rmSync(path, { force: true });
  return true;
}

/**
 * Returns the settings of an environment. The name in lower case overrides the other, and an empty value
 * means none, as with curl. Unlike curl, `HTTP_PROXY` in upper case counts: no request can set it here, as
 * it could in a CGI script.
 *
 * @throws CcwbError ERR_USAGE for a value that no daemon could use.
 */
export function networkSettingsFrom(env: Readonly<Record<string, string | undefined>>): NetworkSettings {
  const settings: NetworkSettings = {};
  for (const name of NETWORK_SETTING_NAMES) {
    const proxy = name !== 'NODE_EXTRA_CA_CERTS';
    const value = (proxy ? env[name.toLowerCase()] : undefined) ?? env[name];
    if (!value) continue;
    // Another process has another working directory.
    const kept = proxy ? value : resolve(value);
    const allowed = problemWith(name, kept);
    if (allowed !== undefined) {
      throw new CcwbError(
        'ERR_USAGE',
        `the variable ${name} is ${JSON.stringify(maskProxy(value))}; it must be ${allowed}`,
        `correct it, or set ${name} to nothing for this command`,
      );
    }
    settings[name] = kept;
  }
  return settings;
}

/** Returns the address of a proxy without user and password. */
export function maskProxy(value: string): string {
  return value.replace(/^([a-z][\w+.-]*:\/\/)?.*@/is, '$1***@');
}

/** Returns the allowed values if the value is wrong; undefined if it is correct. */
function problemWith(name: NetworkSettingName, value: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f\x7f]/.test(value)) return 'text without control characters';
  if (name === 'NO_PROXY') return undefined;
  if (name === 'NODE_EXTRA_CA_CERTS') return value.startsWith('/') ? undefined : 'an absolute path';
  const url = proxyUrl(value);
  return url && ['http:', 'https:'].includes(url.protocol) ? undefined : 'an http or https URL of a proxy';
}

/** Returns the URL of a proxy; without a scheme it is http, as with curl. Undefined if it is no URL. */
export function proxyUrl(value: string): URL | undefined {
  const text = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

function othersOf(root: Record<string, unknown>): Record<string, unknown> {
  const known: readonly string[] = [...NETWORK_SETTING_NAMES, WRITTEN_BY];
  return Object.fromEntries(Object.entries(root).filter(([name]) => !known.includes(name)));
}

function readObject(path: string): Record<string, unknown> | undefined {
  let root: unknown;
  try {
    const text = readFileIfExists(path);
    if (text === undefined) return undefined;
    root = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    // A parser quotes what it choked on, and that may be a password.
    if (cause instanceof SyntaxError) throw invalid(path, 'not valid JSON', cause);
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw invalid(path, `cannot be read (${code})`, cause);
  }
  if (isObject(root)) return root;
  throw invalid(path, 'must be an object');
}

function asText(root: Record<string, unknown>): string {
  return `${JSON.stringify(root, null, 2)}\n`;
}

function invalid(path: string, message: string, cause?: unknown): CcwbError {
  return new CcwbError(
    'ERR_CONFIG_INVALID',
    `${path}: ${message}`,
    `correct ${path}, or remove it and run bedrock-auth service install`,
    { cause },
  );
}
