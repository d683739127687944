import { escapeControlCharacters } from './control-characters.ts';
import { CcwbError } from './errors.ts';
import { isObject } from './json.ts';

/** Field names of the legacy tool's packages, and their current names. */
const LEGACY_NAMES: Readonly<Record<string, string>> = {
  okta_domain: 'provider_domain',
  okta_client_id: 'client_id',
  identity_pool_name: 'identity_pool_id',
  okta_auth_server_id: 'okta_auth_server',
  oidc_issuer_url: 'issuer',
};

/** Location of the fields of a profile, for errors. */
export type ProfileLocation = {
  readonly path: string;
  /** Prefix of the name of a field, e.g. `profiles.ClaudeCode`. */
  readonly prefix: string;
  /** Fix for a wrong field. */
  readonly fix: string;
};

/** Returns the location of a profile in config.json. */
export function locationInConfig(path: string, name: string): ProfileLocation {
  return { path, prefix: `profiles.${formatName(name)}`, fix: fixFor(path) };
}

function fixFor(path: string): string {
  return `correct it in ${path}, or ask your administrator for a new package`;
}

/** Returns an ERR_CONFIG_INVALID that names the file. */
export function configInvalid(path: string, message: string, fix = fixFor(path)): CcwbError {
  return new CcwbError('ERR_CONFIG_INVALID', `${path}: ${message}`, fix);
}

/** Reads and checks the fields of one profile, and remembers which fields were read. */
export class ProfileReader {
  readonly #place: ProfileLocation;
  readonly #fields: Map<string, { value: unknown; writtenAs: string }>;
  readonly #read = new Set<string>();

  constructor(place: ProfileLocation, value: unknown) {
    this.#place = place;
    this.#fields = new Map();
    if (!isObject(value)) throw this.problem('', value, 'an object of fields');
    for (const [writtenAs, fieldValue] of Object.entries(value)) {
      const field = LEGACY_NAMES[writtenAs] ?? writtenAs;
      // The current name overrides the legacy name; null counts as absent.
      const overridden = field !== writtenAs && value[field] !== undefined && value[field] !== null;
      if (!overridden && fieldValue !== null) this.#fields.set(field, { value: fieldValue, writtenAs });
    }
  }

  problem(field: string, value: unknown, allowed: string): CcwbError {
    const writtenAs = this.#fields.get(field)?.writtenAs ?? field;
    const { path, prefix, fix } = this.#place;
    const received = value === undefined ? 'is missing' : `is ${formatValue(value)}`;
    return configInvalid(
      path,
      `${prefix}${writtenAs && `.${writtenAs}`} ${received}; allowed: ${allowed}`,
      fix,
    );
  }

  text(field: string, pattern?: RegExp, allowed = 'a non-empty text'): string | undefined {
    const value = this.#take(field);
    if (value === undefined || value === '') return undefined;
    // Half of a surrogate pair is no character: no URL and no message can contain it.
    if (typeof value !== 'string' || /\p{Cs}/u.test(value) || (pattern && !pattern.test(value)))
      throw this.problem(field, value, allowed);
    return value;
  }

  required(field: string, allowed: string): string {
    const value = this.text(field, undefined, allowed);
    if (value === undefined) throw this.problem(field, undefined, allowed);
    return value;
  }

  oneOf<const T extends string>(field: string, allowed: readonly T[]): T | undefined {
    const value = this.text(field, undefined, `one of ${allowed.join(', ')}`);
    if (value === undefined) return undefined;
    const match = allowed.find((candidate) => candidate === value);
    if (match === undefined) throw this.problem(field, value, `one of ${allowed.join(', ')}`);
    return match;
  }

  boolean(field: string): boolean | undefined {
    const value = this.#take(field);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.problem(field, value, 'true or false');
  }

  /** Reads an object with some of the keys. `entry` reads a value; undefined means that it is wrong. */
  object<const K extends string, V>(
    field: string,
    keys: readonly K[],
    entry: (value: unknown) => V | undefined,
    allowed: string,
  ): Partial<Record<K, V>> | undefined {
    const value = this.#take(field);
    if (value === undefined) return undefined;
    if (!isObject(value)) throw this.problem(field, value, allowed);
    const read: Partial<Record<K, V>> = {};
    for (const [name, entryValue] of Object.entries(value)) {
      const key = keys.find((candidate) => candidate === name);
      const result = key === undefined ? undefined : entry(entryValue);
      if (key === undefined || result === undefined) {
        throw this.problem(field, { [name]: entryValue }, allowed);
      }
      read[key] = result;
    }
    return read;
  }

  integer(field: string, least: number, most: number): number | undefined {
    const value = this.#take(field);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw this.problem(field, value, `a whole number from ${least} to ${most}`);
    }
    return value;
  }

  /** Reads an https URL, or http on loopback: tokens and credentials travel to it. */
  url(field: string): string | undefined {
    const value = this.text(field);
    if (value === undefined) return undefined;
    const allowed = 'an https URL without query or fragment (http only on 127.0.0.1, [::1] or localhost)';
    // Issuers are compared literally, so the text must not contain parts that a URL parser drops or repairs.
    if (!/^https?:\/\/[^\s?#@\\]+$/i.test(value) || !URL.canParse(value))
      throw this.problem(field, value, allowed);
    const url = new URL(value);
    const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
    const secure = url.protocol === 'https:' || (url.protocol === 'http:' && loopback);
    if (!secure) throw this.problem(field, value, allowed);
    return value;
  }

  scopes(field: string): string[] | undefined {
    const value = this.#take(field);
    if (value === undefined) return undefined;
    const scopes = typeof value === 'string' ? value.split(/\s+/).filter(Boolean) : value;
    const wellFormed =
      Array.isArray(scopes) &&
      scopes.every((s) => typeof s === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(s));
    if (!wellFormed || !scopes.includes('openid'))
      throw this.problem(field, value, 'scopes separated by spaces, openid among them');
    return scopes;
  }

  /** Reads a list of paths, absolute or in the home folder of the daemon's user (`~/`). */
  programs(field: string): string[] | undefined {
    const value = this.#take(field);
    if (value === undefined) return undefined;
    // An empty list would allow no program; a path with `..` would match none.
    const path = (entry: unknown): entry is string =>
      typeof entry === 'string' && /^~?\/(?!.*\/\.\.?(\/|$))[^\0]*[^\0/]\/?$/.test(entry);
    if (Array.isArray(value) && value.length > 0 && value.every(path)) return value;
    throw this.problem(
      field,
      value,
      'a list of absolute paths of programs, or of folders with a slash at the end; ~/ is the home folder',
    );
  }

  /** Returns the fields that were not read, as written in the file. */
  unread(): string[] {
    return [...this.#fields]
      .filter(([field]) => !this.#read.has(field))
      .map(([, { writtenAs }]) => writtenAs);
  }

  #take(field: string): unknown {
    this.#read.add(field);
    return this.#fields.get(field)?.value;
  }
}

/** Formats a value for an error: JSON, at most 80 characters, without characters that control a terminal. */
export function formatValue(value: unknown): string {
  const text = escapeControlCharacters(jsonOf(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // JSON.parse accepts deeper nesting than JSON.stringify.
    return 'something nested too deep to show';
  }
}

/** Formats a name for an error: unchanged if it is plain ASCII, else like any value. */
export function formatName(name: string): string {
  return /^[\x21-\x7e]{1,64}$/.test(name) ? name : formatValue(name);
}
