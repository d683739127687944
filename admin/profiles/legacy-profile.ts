/**
 * Profiles of the legacy tool: one flat file each, with `schema_version` "2.0" or none. Known fields are
 * translated; all others are kept under `legacyTool`.
 */
import { CcwbError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import { formatValue } from '../../protocol/profile-reader.ts';

/** StoredFields of config.json by the names they have there. The first of a line counts. */
const CONFIG: readonly (readonly [field: string, ...writtenAs: string[]])[] = [
  ['provider_type', 'provider_type'],
  ['provider_domain', 'provider_domain', 'okta_domain'],
  ['issuer', 'oidc_issuer_url'],
  ['okta_auth_server', 'okta_auth_server'],
  ['cognito_user_pool_id', 'cognito_user_pool_id'],
  ['client_id', 'client_id', 'okta_client_id'],
  ['client_secret', 'client_secret'],
  ['aws_region', 'aws_region'],
  ['federation_type', 'federation_type'],
  ['max_session_duration', 'max_session_duration'],
  ['credential_storage', 'credential_storage'],
  ['redirect_port', 'redirect_port'],
];

/** The fields of a profile as a file has them; no value is checked yet. */
export type StoredFields = Readonly<Record<string, unknown>>;

/** Default retention of data in the legacy tool, and of query results here; in days. */
const DATA_DAYS = 90;
const RESULTS_DAYS = 7;

/** @throws CcwbError ERR_CONFIG_INVALID for a profile that does not sign in through an OpenID provider. */
export function fromLegacyTool(fields: StoredFields, path: string, name: string | undefined): StoredFields {
  refuseOtherSignIn(fields, path);
  const used = new Set(['schema', 'schema_version', 'name']);
  const take = (field: string): unknown => {
    used.add(field);
    const value = fields[field];
    return value === '' || value === null ? undefined : value;
  };
  const config = Object.fromEntries(
    CONFIG.flatMap(([field, ...names]) => {
      // All names of a line are removed: an older name beside the newer one adds nothing.
      const [value] = names.map(take).filter((each) => each !== undefined);
      return value === undefined ? [] : [[field, value]];
    }),
  );
  const bedrock = bedrockFrom(take, fields);
  const monitoring = monitoringFrom(take, fields);
  const jwksUri = take('oidc_jwks_uri');
  const model = take('selected_model');
  const haikuModel = take('inference_profile_haiku_arn');
  const rest = Object.fromEntries(Object.entries(fields).filter(([field]) => !used.has(field)));
  return {
    schema: 1,
    name: fields.name ?? name,
    config,
    infra: { bedrock, ...(jwksUri !== undefined && { jwksUri }), ...(monitoring && { monitoring }) },
    claude: { ...(model !== undefined && { model }), ...(haikuModel !== undefined && { haikuModel }) },
    outputs: {},
    ...(Object.keys(rest).length > 0 && { legacyTool: rest }),
  };
}

function refuseOtherSignIn({ auth_type, sso_enabled }: StoredFields, path: string): void {
  const field = sso_enabled === false ? 'sso_enabled' : 'auth_type';
  const value = field === 'auth_type' ? auth_type : sso_enabled;
  if (field === 'auth_type' && (value ?? 'oidc') === 'oidc') return;
  throw new CcwbError(
    'ERR_CONFIG_INVALID',
    `${path}: ${field} is ${formatValue(value)}; allowed: ${field === 'auth_type' ? '"oidc"' : 'true'}`,
    'it is a profile of another tool whose users sign in otherwise: run ccwb init for a new one, under another name',
  );
}

function bedrockFrom(take: (field: string) => unknown, { selected_model }: StoredFields): StoredFields {
  const given = take('allowed_bedrock_regions');
  const regions = Array.isArray(given) ? given : [];
  // `all-commercial` stands for many regions.
  const everywhere = regions.includes('all-commercial');
  const named = regions.filter((region) => typeof region === 'string' && !region.startsWith('all-'));
  const source = take('selected_source_region');
  const concrete = named.length > 0 ? named : source === undefined ? [] : [source];
  const global = take('cross_region_profile') === 'global' || /^global\./.test(String(selected_model ?? ''));
  // Its roles refused global inference profiles unless every region was allowed.
  return { ...(concrete.length > 0 && { regions: concrete }), globalInference: everywhere || global };
}

function monitoringFrom(take: (field: string) => unknown, fields: StoredFields): StoredFields | undefined {
  // A collector on each user's computer is not supported here.
  if (fields.monitoring_enabled !== true || (fields.monitoring_mode ?? 'central') !== 'central')
    return undefined;
  take('monitoring_enabled');
  take('monitoring_mode');
  const given = take('monitoring_config');
  const settings: StoredFields = isObject(given) ? given : {};
  const domain = String(settings.custom_domain ?? '')
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '');
  const analytics = (take('analytics_enabled') ?? true) === true;
  return {
    network:
      settings.create_vpc === false
        ? {
            type: 'existing',
            vpcId: settings.vpc_id,
            taskSubnetIds: settings.subnet_ids,
            loadBalancerSubnetIds: settings.subnet_ids,
          }
        : // Its own network has public subnets only.
          { type: 'new', tasks: 'public' },
    ...(settings.alb_scheme === 'internal' && { internal: true }),
    ...(domain !== '' && {
      domain: {
        name: domain,
        ...(settings.hosted_zone_id ? { hostedZoneId: settings.hosted_zone_id } : {}),
        ...(settings.certificate_arn ? { certificateArn: settings.certificate_arn } : {}),
      },
    }),
    ...(analytics && {
      analytics: { glacierAfterDays: take('data_retention_days') ?? DATA_DAYS, resultsDays: RESULTS_DAYS },
    }),
  };
}
