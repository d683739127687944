/** Checks the shape of every field of a profile; errors name the file, the field, the value and what is allowed. */
import { STACKS } from '../../infra/outputs.ts';
import { parseUndeployedProfile, type UndeployedProfile } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import { formatValue } from '../../protocol/profile-reader.ts';
import {
  type AdminProfile,
  type ClaudeChoices,
  PROFILE_NAME,
  PROFILE_NAME_WORDS,
  PROFILE_SCHEMA,
  userConfig,
} from './admin-profile.ts';
import { checkInfraSettings } from './infra-file.ts';

/** The fields that are known here; the others are kept, see {@link unknownFields}. */
export const PROFILE_FIELDS: readonly string[] = [
  'schema',
  'name',
  'config',
  'infra',
  'claude',
  'users',
  'outputs',
];
const CLAUDE_FIELDS = ['model', 'haikuModel', 'attributes'];

/**
 * @param name the name that the profile must have; undefined: any.
 * @returns the profile with all its fields in their order, unknown ones included.
 * @throws CcwbError ERR_CONFIG_INVALID
 */
export function checkProfile(value: unknown, path: string, name: string | undefined): AdminProfile {
  if (!isObject(value)) throw invalid(path, '', value, 'an object of fields');
  const { schema, config, claude, users, outputs } = value;
  if (schema !== PROFILE_SCHEMA) throw invalid(path, 'schema', schema, String(PROFILE_SCHEMA));
  const ownName = checkName(value.name, path, name);
  if (!isObject(config)) throw invalid(path, 'config', config, 'an object of the fields of config.json');
  const infra = checkInfraSettings(value.infra, path, 'infra');
  assertClaude(claude, path);
  if (users !== undefined && !isCount(users))
    throw invalid(path, 'users', users, 'a whole number of people, 1 or more');
  assertOutputs(outputs, path);
  const profile: AdminProfile = {
    ...value,
    schema,
    name: ownName,
    config,
    infra,
    claude,
    ...(users !== undefined && { users }),
    outputs,
  };
  // Outputs of stacks are checked last, so that an error names a chosen field first.
  parseUserConfig({ ...profile, outputs: {} }, path);
  parseUserConfig(profile, path, 'outputs, for config');
  return profile;
}

function checkName(given: unknown, path: string, wanted: string | undefined): string {
  const holds = typeof given === 'string' && PROFILE_NAME.test(given);
  if (holds && (wanted === undefined || given === wanted)) return given;
  const allowed = wanted === undefined ? PROFILE_NAME_WORDS : `${formatValue(wanted)}, as the file is called`;
  throw invalid(path, 'name', given, allowed);
}

function assertClaude(claude: unknown, path: string): asserts claude is ClaudeChoices {
  if (!isObject(claude))
    throw invalid(path, 'claude', claude, `an object with some of ${CLAUDE_FIELDS.join(', ')}, or {}`);
  for (const field of ['model', 'haikuModel'] as const) {
    const id = claude[field];
    if (id !== undefined && !isWord(id)) throw invalid(path, `claude.${field}`, id, 'the id of a model');
  }
  const { attributes } = claude;
  if (attributes === undefined) return;
  if (!isObject(attributes)) throw invalid(path, 'claude.attributes', attributes, 'an object of texts');
  for (const [name, text] of Object.entries(attributes)) {
    // They stand in one variable as NAME=VALUE, with commas between.
    if (/^[^\s=,]+$/.test(name) && typeof text === 'string' && /^[^\s,;"\\=]+$/.test(text)) continue;
    const allowed = 'names and texts without spaces, commas, quotes or =';
    throw invalid(path, `claude.attributes.${name}`, text, allowed);
  }
}

function assertOutputs(outputs: unknown, path: string): asserts outputs is AdminProfile['outputs'] {
  if (!isObject(outputs))
    throw invalid(path, 'outputs', outputs, 'an object with the outputs of each stack, or {}');
  for (const stack of STACKS) {
    const given = outputs[stack];
    if (given === undefined) continue;
    const holds = isObject(given) && Object.values(given).every((output) => typeof output === 'string');
    if (!holds) throw invalid(path, `outputs.${stack}`, given, 'an object of texts');
  }
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^\S+$/.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
}

/**
 * Returns the profile as users' programs read it from config.json; the pool or the role is undefined until the
 * auth stack is deployed.
 *
 * @param path names the file in errors.
 * @throws CcwbError ERR_CONFIG_INVALID
 */
export function userProfileOf(profile: AdminProfile, path = `${profile.name}.json`): UndeployedProfile {
  return parseUserConfig(profile, path).profile;
}

/** Returns the fields that this version does not know, e.g. those of a later version. They are kept. */
export function unknownFields(profile: AdminProfile): string[] {
  const beyond = (value: object, known: readonly string[], prefix: string): string[] =>
    Object.keys(value).flatMap((name) => (known.includes(name) ? [] : [`${prefix}${name}`]));
  return [
    ...beyond(profile, PROFILE_FIELDS, ''),
    ...parseUserConfig(profile, '').unknown.map((field) => `config.${field}`),
    ...beyond(profile.claude, CLAUDE_FIELDS, 'claude.'),
    ...beyond(profile.outputs, STACKS, 'outputs.'),
  ];
}

function parseUserConfig(
  profile: AdminProfile,
  path: string,
  prefix = 'config',
): ReturnType<typeof parseUndeployedProfile> {
  const fix = `correct it in ${path} (docs/configuration.md lists the fields)`;
  return parseUndeployedProfile(profile.name, userConfig(profile), { path, prefix, fix });
}

function invalid(path: string, field: string, value: unknown, allowed: string): CcwbError {
  const what = field === '' ? path : `${path}: ${field}`;
  const received = value === undefined ? 'is missing' : `is ${formatValue(value)}`;
  const fix = `correct ${field === '' ? 'it' : field} in ${path}, or run ccwb init`;
  return new CcwbError('ERR_CONFIG_INVALID', `${what} ${received}; allowed: ${allowed}`, fix);
}
