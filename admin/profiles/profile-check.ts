/** Whether a profile is one: every field's shape, with the file, the field, the value and what is allowed. */
import { STACKS } from '../../infra/outputs.ts';
import { type ProfileConfig, parseProfile } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { formatValue, isObject } from '../../protocol/profile-reader.ts';
import {
  type AdminProfile,
  isDirect,
  PROFILE_NAME,
  PROFILE_NAME_WORDS,
  PROFILE_SCHEMA,
  userConfig,
} from './admin-profile.ts';
import { checkInfraSettings } from './infra-file.ts';

/** Stand for what stacks give, until they have: of the right form, and of nobody. */
const NO_POOL = 'us-east-1:00000000-0000-0000-0000-000000000000';
const NO_ROLE = 'arn:aws:iam::000000000000:role/not-deployed';

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
 * @param name what the profile must be called; undefined: as it says.
 * @throws CcwbError ERR_CONFIG_INVALID
 */
export function checkProfile(value: unknown, path: string, name: string | undefined): AdminProfile {
  const check: CheckField = (field, given, holds, allowed) => {
    if (!holds) throw invalid(path, field, given, allowed);
  };
  if (!isObject(value)) throw invalid(path, '', value, 'an object of fields');
  const { schema, config, infra, claude, users, outputs } = value;
  check('schema', schema, schema === PROFILE_SCHEMA, String(PROFILE_SCHEMA));
  const isName = typeof value.name === 'string' && PROFILE_NAME.test(value.name);
  const allowedName = name === undefined ? PROFILE_NAME_WORDS : `${formatValue(name)}, as the file is called`;
  check('name', value.name, isName && (name === undefined || value.name === name), allowedName);
  check('config', config, isObject(config), 'an object of the fields of config.json');
  checkInfraSettings(infra, path, 'infra');
  checkClaude(claude, check);
  const isCount = users === undefined || (Number.isInteger(users) && Number(users) > 0);
  check('users', users, isCount, 'a whole number of people, 1 or more');
  checkOutputs(outputs, check);
  const profile = value as AdminProfile;
  // What the stacks gave is looked at after what was chosen: a wrong value stands in another field then.
  parseUserConfig({ ...profile, outputs: {} }, path);
  parseUserConfig(profile, path, 'outputs, for config');
  return profile;
}

type CheckField = (field: string, value: unknown, holds: boolean, allowed: string) => void;

function checkClaude(claude: unknown, check: CheckField): void {
  check('claude', claude, isObject(claude), `an object with some of ${CLAUDE_FIELDS.join(', ')}, or {}`);
  const { model, haikuModel, attributes } = claude as Record<string, unknown>;
  check('claude.model', model, isWord(model), 'the id of a model');
  check('claude.haikuModel', haikuModel, isWord(haikuModel), 'the id of a model');
  if (attributes === undefined) return;
  check('claude.attributes', attributes, isObject(attributes), 'an object of texts');
  for (const [name, text] of Object.entries(attributes as object)) {
    // They stand in one variable as NAME=VALUE, with commas between.
    const holds = /^[^\s=,]+$/.test(name) && typeof text === 'string' && /^[^\s,;"\\=]+$/.test(text);
    check(`claude.attributes.${name}`, text, holds, 'names and texts without spaces, commas, quotes or =');
  }
}

function isWord(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && /^\S+$/.test(value));
}

function checkOutputs(outputs: unknown, check: CheckField): void {
  check('outputs', outputs, isObject(outputs), 'an object with the outputs of each stack, or {}');
  for (const stack of STACKS) {
    const given = (outputs as Record<string, unknown>)[stack];
    const holds = isObject(given) && Object.values(given).every((output) => typeof output === 'string');
    check(`outputs.${stack}`, given, given === undefined || holds, 'an object of texts');
  }
}

/**
 * The profile as users' programs read it from config.json, with something in the place of what no stack has
 * given yet.
 *
 * @param path names the file in errors.
 * @throws CcwbError ERR_CONFIG_INVALID
 */
export function asProfileConfig(profile: AdminProfile, path = `${profile.name}.json`): ProfileConfig {
  return parseUserConfig(profile, path).profile;
}

/** Fields of a profile that no program here knows, such as those of a later one. They are kept. */
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
): ReturnType<typeof parseProfile> {
  const fields = userConfig(profile);
  const direct = isDirect(fields);
  const given = direct ? fields.federated_role_arn : (fields.identity_pool_id ?? fields.identity_pool_name);
  const absent = given === undefined || given === null || given === '';
  const placeholder = direct ? { federated_role_arn: NO_ROLE } : { identity_pool_id: NO_POOL };
  return parseProfile(
    profile.name,
    { ...fields, ...(absent && placeholder) },
    { path, prefix, fix: `correct it in ${path} (docs/configuration.md lists the fields)` },
  );
}

function invalid(path: string, field: string, value: unknown, allowed: string): CcwbError {
  const what = field === '' ? path : `${path}: ${field}`;
  const received = value === undefined ? 'is missing' : `is ${formatValue(value)}`;
  const fix = `correct ${field === '' ? 'it' : field} in ${path}, or run ccwb init`;
  return new CcwbError('ERR_CONFIG_INVALID', `${what} ${received}; allowed: ${allowed}`, fix);
}
