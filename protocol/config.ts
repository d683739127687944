import { readFileSync } from 'node:fs';
import { CcwbError } from './errors.ts';
import { type IdentityProvider, PROVIDER_TYPES, resolveIdentityProvider } from './issuer.ts';
import { isObject } from './json.ts';
import {
  configInvalid,
  formatName,
  formatValue,
  locationInConfig,
  type ProfileLocation,
  ProfileReader,
} from './profile-reader.ts';
import { readTelemetry, type TelemetrySettings } from './telemetry-settings.ts';

/** One profile of config.json, checked and with its defaults; field names as in the file. */
export type ProfileConfig = {
  name: string;
  identityProvider: IdentityProvider;
  clientId: string;
  /** Only for providers that demand one of desktop clients (Google); it protects nothing. */
  clientSecret: string | undefined;
  scopes: readonly string[];
  awsRegion: string;
  federation: FederationConfig;
  credentialStorage: 'keyring' | 'session';
  redirectPort: number;
  /** Programs that may have credentials, or folders of them (with a slash at the end); undefined: all. */
  allowedPrograms: readonly string[] | undefined;
  telemetry: TelemetrySettings;
  /** Loopback port of the container credentials endpoint; undefined: no endpoint. */
  containerCredentialsPort: number | undefined;
};

export type FederationConfig =
  | { type: 'cognito'; identityPoolId: string; endpoint: string | undefined }
  | { type: 'direct'; roleArn: string; durationSeconds: number; endpoint: string | undefined };

/** A profile whose auth stack need not be deployed: the identity pool or the role may be missing. */
export type UndeployedProfile = Omit<ProfileConfig, 'federation'> & { federation: UndeployedFederation };

export type UndeployedFederation =
  | { type: 'cognito'; identityPoolId: string | undefined; endpoint: string | undefined }
  | {
      type: 'direct';
      roleArn: string | undefined;
      durationSeconds: number;
      endpoint: string | undefined;
    };

export type Config = {
  path: string;
  /** All names in the file's order, those of broken profiles included. */
  names: readonly string[];
  profiles: ReadonlyMap<string, ProfileConfig>;
  /** Profiles whose fields are wrong: each fails alone, the others work. */
  invalid: ReadonlyMap<string, CcwbError>;
  /** Fields no program of ours knows, as `profiles.NAME.field`. */
  unknownFields: readonly string[];
};

export const DEFAULT_PROFILE = 'ClaudeCode';
export const DEFAULT_REDIRECT_PORT = 8400;
const DEFAULT_REGION = 'us-east-1';
/** Longest role session STS grants, in seconds; the default for direct federation. */
const MAX_SESSION_SECONDS = 43_200;
const POOL_ID = 'an identity pool id such as us-east-1:1234abcd-…';

/** Names that can stand in a URL, an AWS profile header and a shell word without quoting. */
export const PROFILE_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Reads and checks config.json.
 *
 * @throws CcwbError ERR_CONFIG_MISSING when the file is not there; ERR_CONFIG_INVALID when it cannot be
 *   read, is no JSON object, or holds no profile. A wrong field fails its own profile only (`invalid`).
 */
export function loadConfig(path: string): Config {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new CcwbError(
        'ERR_CONFIG_MISSING',
        `no configuration at ${path}`,
        'run the install.sh of the package your administrator gave you, or set CCWB_CONFIG',
        { cause },
      );
    }
    throw new CcwbError(
      'ERR_CONFIG_INVALID',
      `${path} cannot be read (${code ?? 'unknown error'})`,
      `make ${path} readable for you`,
      {
        cause,
      },
    );
  }
  return parseConfig(text, path);
}

/** Checks the text of a config.json; `path` only names it in errors. Throws as {@link loadConfig} does. */
export function parseConfig(text: string, path: string): Config {
  const invalid = (message: string): CcwbError => configInvalid(path, message);
  let root: unknown;
  try {
    root = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw invalid(`not valid JSON: ${syntaxProblem(cause)}`);
  }
  if (!isObject(root)) throw invalid(`must be an object of profiles, received ${formatValue(root)}`);
  const nested = root.profiles;
  if (nested !== undefined && !isObject(nested))
    throw invalid(`profiles: must be an object, received ${formatValue(nested)}`);
  const entries = Object.entries(nested ?? root);
  if (entries.length === 0) throw invalid('has no profile; at least one is needed');

  const profiles = new Map<string, ProfileConfig>();
  const broken = new Map<string, CcwbError>();
  const unknownFields: string[] = [];
  for (const [name, value] of entries) {
    try {
      const { profile, unknown } = parseProfile(name, value, locationInConfig(path, name));
      profiles.set(name, profile);
      unknownFields.push(...unknown.map((field) => `profiles.${name}.${field}`));
    } catch (error) {
      if (!(error instanceof CcwbError)) throw error;
      broken.set(name, error);
    }
  }
  return { path, names: entries.map(([name]) => name), profiles, invalid: broken, unknownFields };
}

/**
 * Checks the fields of one profile, wherever they stand.
 *
 * @returns the profile, and the fields that no program of ours knows.
 * @throws CcwbError ERR_CONFIG_INVALID
 */
export function parseProfile(
  name: string,
  fields: unknown,
  place: ProfileLocation,
): { profile: ProfileConfig; unknown: string[] } {
  const reader = new ProfileReader(place, fields);
  return { profile: readProfile(name, reader, readFederation), unknown: reader.unread() };
}

/**
 * Checks the fields of one profile as {@link parseProfile} does, except that `identity_pool_id` and
 * `federated_role_arn` may be missing: the auth stack's outputs fill them.
 *
 * @throws CcwbError ERR_CONFIG_INVALID
 */
export function parseUndeployedProfile(
  name: string,
  fields: unknown,
  place: ProfileLocation,
): { profile: UndeployedProfile; unknown: string[] } {
  const reader = new ProfileReader(place, fields);
  return { profile: readProfile(name, reader, readUndeployedFederation), unknown: reader.unread() };
}

/**
 * The profile of that name.
 *
 * @throws CcwbError ERR_PROFILE_UNKNOWN, naming those there are; ERR_CONFIG_INVALID when its fields are wrong.
 */
export function profileNamed(config: Config, name: string): ProfileConfig {
  const profile = config.profiles.get(name);
  if (profile) return profile;
  const problem = config.invalid.get(name);
  if (problem) throw problem;
  const { names } = config;
  throw new CcwbError(
    'ERR_PROFILE_UNKNOWN',
    `no profile ${formatValue(name)} in ${config.path}; it has ${names.map(formatName).join(', ')}`,
    `use --profile ${formatName(names[0] ?? '')}, or set CCWB_PROFILE`,
  );
}

/**
 * Which profile a command means: the flag, else `CCWB_PROFILE`, else `ClaudeCode`, else the only one.
 *
 * @throws CcwbError ERR_PROFILE_UNKNOWN when several could be meant.
 */
export function chooseProfile(
  config: Config,
  flag: string | undefined,
  environment: string | undefined,
): string {
  if (flag !== undefined) return flag;
  if (environment) return environment;
  const { names } = config;
  const [only] = names;
  if (names.includes(DEFAULT_PROFILE)) return DEFAULT_PROFILE;
  if (names.length === 1 && only !== undefined) return only;
  throw new CcwbError(
    'ERR_PROFILE_UNKNOWN',
    `${config.path} has several profiles and none is called ${DEFAULT_PROFILE}: ${names.map(formatName).join(', ')}`,
    `choose one with --profile ${formatName(only ?? '')}, or set CCWB_PROFILE`,
  );
}

function readProfile<F>(
  name: string,
  read: ProfileReader,
  federationOf: (read: ProfileReader) => F,
): Omit<ProfileConfig, 'federation'> & { federation: F } {
  if (!PROFILE_NAME_PATTERN.test(name)) {
    throw read.problem(
      '',
      name,
      'a profile name of at most 64 letters, digits, dots, hyphens and underscores',
    );
  }
  const identityProvider = resolveIdentityProvider({
    provider_type: read.oneOf('provider_type', ['auto', ...PROVIDER_TYPES]),
    provider_domain: read.text('provider_domain'),
    issuer: read.url('issuer'),
    okta_auth_server: read.text('okta_auth_server'),
    cognito_user_pool_id: read.text('cognito_user_pool_id'),
  });
  if ('problem' in identityProvider) {
    const { field, value, allowed } = identityProvider.problem;
    throw read.problem(field, value, allowed);
  }
  return {
    name,
    identityProvider,
    clientId: read.required('client_id', 'the client id of the OIDC application'),
    clientSecret: read.text('client_secret'),
    scopes: read.scopes('scopes') ?? defaultScopes(identityProvider),
    awsRegion:
      read.text('aws_region', /^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region such as us-east-1') ?? DEFAULT_REGION,
    federation: federationOf(read),
    credentialStorage: read.oneOf('credential_storage', ['keyring', 'session']) ?? 'session',
    redirectPort: read.integer('redirect_port', 1, 65_535) ?? DEFAULT_REDIRECT_PORT,
    allowedPrograms: read.programs('allowed_programs'),
    telemetry: readTelemetry(read),
    containerCredentialsPort: read.integer('container_credentials_port', 0, 65_535) || undefined,
  };
}

function readFederation(read: ProfileReader): FederationConfig {
  const federation = readUndeployedFederation(read);
  if (federation.type === 'cognito') {
    const { identityPoolId } = federation;
    if (identityPoolId === undefined) throw read.problem('identity_pool_id', undefined, POOL_ID);
    return { ...federation, identityPoolId };
  }
  const { roleArn } = federation;
  if (roleArn === undefined) throw read.problem('federated_role_arn', undefined, 'the ARN of an IAM role');
  return { ...federation, roleArn };
}

function readUndeployedFederation(read: ProfileReader): UndeployedFederation {
  const roleArn = read.text(
    'federated_role_arn',
    /^arn:[\w-]+:iam::\d{12}:role\/.+$/,
    'the ARN of an IAM role',
  );
  const durationSeconds =
    read.integer('max_session_duration', 900, MAX_SESSION_SECONDS) ?? MAX_SESSION_SECONDS;
  const cognitoEndpoint = read.url('cognito_identity_endpoint');
  const stsEndpoint = read.url('sts_endpoint');
  const type =
    read.oneOf('federation_type', ['cognito', 'direct']) ??
    (read.text('identity_pool_id', undefined, POOL_ID) || !roleArn ? 'cognito' : 'direct');
  if (type === 'cognito') {
    const identityPoolId = read.text('identity_pool_id', /^[\w-]+:[0-9a-f-]+$/i, POOL_ID);
    return { type, identityPoolId, endpoint: cognitoEndpoint };
  }
  // Only known, not checked: earlier tools leave the name of a pool beside a role.
  read.text('identity_pool_id', undefined, POOL_ID);
  return { type, roleArn, durationSeconds, endpoint: stsEndpoint };
}

function defaultScopes({ providerType }: IdentityProvider): string[] {
  // Cognito always issues a refresh token and refuses scopes its client was not given; Google knows no
  // offline_access and is asked with access_type=offline instead.
  if (providerType === 'cognito') return ['openid', 'email'];
  if (providerType === 'google') return ['openid', 'profile', 'email'];
  return ['openid', 'profile', 'email', 'offline_access'];
}

/** Returns the problem and position of a JSON error, without the text around it: that may be a secret. */
function syntaxProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const place = /line \d+ column \d+|position \d+/.exec(message)?.[0];
  const token = /^Unexpected token '[!-&(-~]'|^Unexpected end of JSON input/.exec(message)?.[0];
  return [token?.replace('Unexpected', 'unexpected') ?? 'unexpected text', place && `at ${place}`]
    .filter(Boolean)
    .join(' ');
}
