/**
 * The typed input of every stack: one deployment, described without CDK. Whoever holds a configuration
 * translates it into this and has it checked here before anything is synthesised.
 */

import { checkAccessGroups, checkAudit, checkModels } from './access-checks.ts';
import { findMonitoringProblem } from './monitoring-checks.ts';
import { partitionOf } from './partition.ts';

/** Identity providers by how their issuer is written; the names are those of config.json. */
export type ProviderType = 'okta' | 'auth0' | 'azure' | 'cognito' | 'google' | 'generic';

export type InfraProfile = {
  /** Name of the deployment. Stack and resource names derive from it, so it is unique per account and region. */
  readonly name: string;
  readonly identityProvider: {
    readonly type: ProviderType;
    /** OIDC issuer identifier, an https URL exactly as in the provider's ID tokens. */
    readonly issuer: string;
    /** The issuer without its scheme: the key in Cognito's `Logins` and the prefix of IAM's condition keys. */
    readonly loginKey: string;
    /** Client id of the OIDC application: the audience of its ID tokens. */
    readonly clientId: string;
    /**
     * The provider's signing keys, as its discovery document names them. Only a generic provider whose tokens
     * the load balancer is to check needs it: those of the other types are known.
     */
    readonly jwksUri?: string;
    /**
     * Whether IAM has the issuer already, with `clientId` among its audiences: by another deployment, or by
     * hand. An account can register an issuer once.
     */
    readonly registered?: boolean;
  };
  /** Region the stacks are created in. It decides the partition. */
  readonly region: string;
  readonly bedrock: {
    /**
     * Regions in which models may run. A geographic inference profile (`us.`, `eu.`, …) is authorised in
     * the region it routes to, so every one of its destinations belongs in this list.
     */
    readonly regions: readonly string[];
    /**
     * Whether global inference profiles (`global.`) may be used from `regions`. They run in any commercial
     * region, so this gives up the promise that data stays in the list. No effect outside partition `aws`.
     */
    readonly globalInference: boolean;
    /** Allow-list of model ids, `*` as in IAM, e.g. `anthropic.claude-*`; without a geography. Absent: all. */
    readonly models?: readonly string[];
  };
  readonly federation: Federation;
  /** Who may use Bedrock, as the identity provider decides it. Absent: everybody who can sign in. */
  readonly accessGroups?: AccessGroups;
  /** A trail of every call to Bedrock, kept for so many days. Absent: none. */
  readonly audit?: { readonly retentionDays: number };
  /** Absent: no telemetry is collected, and neither `networking` nor anything after it is made. */
  readonly monitoring?: Monitoring;
};

/** Whoever has one of `groups` in this claim of the ID token, and nobody else. */
export type AccessGroups = {
  /** E.g. `groups` or `cognito:groups`; for direct federation a session tag (see `sessionTagOf`). */
  readonly claim: string;
  readonly groups: readonly string[];
  /**
   * How an identity pool compares a group with the claim: `contains` (the default) for a claim that is a list,
   * `equals` for one that is a single text. With `contains` a group matches inside longer names too.
   */
  readonly match?: 'contains' | 'equals';
};

/** Where Claude Code's telemetry goes. */
export type Monitoring = {
  readonly network: Network;
  /**
   * Whether the load balancer has private addresses only. With a domain its subnets then need a NAT gateway:
   * it fetches the keys that tokens are signed with.
   */
  readonly internal: boolean;
  /** Name of the collector. Absent: it is reached by http under the load balancer's own name, without a check of tokens. */
  readonly domain?: {
    readonly name: string;
    /** Route 53 zone for the name and, unless there is one already, the proof for its certificate. */
    readonly hostedZoneId?: string;
    /** A certificate of ACM in the profile's region. */
    readonly certificateArn?: string;
  };
  /** `deployment.environment` of everything collected, e.g. `production`. */
  readonly environment: string;
  /** How long the log groups keep what they get. */
  readonly retentionDays: number;
  readonly alarms?: {
    readonly email?: string;
    readonly tokensPerHour: number;
    readonly dailyCostUsd: number;
    readonly bedrockErrorsPerHour: number;
  };
  readonly analytics?: {
    readonly glacierAfterDays: number;
    /** How long Athena's results are kept. */
    readonly resultsDays: number;
  };
};

export type Network =
  | {
      readonly type: 'new';
      /** `private` needs a NAT gateway, which costs; `public` gives each task a public address that nobody may call. */
      readonly tasks: 'private' | 'public';
    }
  | {
      readonly type: 'existing';
      readonly vpcId: string;
      /** With a way out to AWS: the tasks get no public address. */
      readonly taskSubnetIds: readonly string[];
      /** At least two, in different zones. */
      readonly loadBalancerSubnetIds: readonly string[];
    };

/** How an ID token becomes AWS credentials: through a Cognito identity pool, or directly through STS. */
export type Federation =
  | { readonly type: 'cognito' }
  | {
      readonly type: 'direct';
      /** Longest session a user may ask STS for, in seconds: 3600 to 43200. */
      readonly maxSessionSeconds: number;
    };

/** A value no stack can be made from: the field at fault and what it must be. */
export type ProfileProblem = {
  readonly field: ProfileField;
  readonly value: unknown;
  readonly allowed: string;
};

export type ProfileField =
  | 'name'
  | 'issuer'
  | 'clientId'
  | 'region'
  | 'bedrock.regions'
  | 'bedrock.models'
  | 'federation.maxSessionSeconds'
  | 'jwksUri'
  | 'accessGroups.claim'
  | 'accessGroups.groups'
  | 'audit.retentionDays'
  | MonitoringField;

export type MonitoringField =
  | 'monitoring.internal'
  | 'monitoring.network.vpcId'
  | 'monitoring.network.taskSubnetIds'
  | 'monitoring.network.loadBalancerSubnetIds'
  | 'monitoring.domain.name'
  | 'monitoring.domain.hostedZoneId'
  | 'monitoring.domain.certificateArn'
  | 'monitoring.environment'
  | 'monitoring.retentionDays'
  | 'monitoring.alarms.email'
  | 'monitoring.alarms.tokensPerHour'
  | 'monitoring.alarms.dailyCostUsd'
  | 'monitoring.alarms.bedrockErrorsPerHour'
  | 'monitoring.analytics.glacierAfterDays'
  | 'monitoring.analytics.resultsDays';

/** The login that IAM and Cognito know without registration; AWS asks not to register it a second time. */
export const GOOGLE_LOGIN_KEY = 'accounts.google.com';

// What IAM takes for MaxSessionDuration of a role.
const SESSION_SECONDS = { least: 3_600, most: 43_200 };

// CloudFormation's rule for stack names, less the room for our prefix and the longest stack's suffix.
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;

/** The first thing wrong with a profile, or undefined when every stack can be made from it. */
export function findProfileProblem(profile: InfraProfile): ProfileProblem | undefined {
  return [
    checkName(profile),
    checkIssuer(profile),
    checkClientId(profile),
    checkRegion(profile),
    checkBedrockRegions(profile),
    checkModels(profile),
    checkSessionSeconds(profile),
    checkAccessGroups(profile),
    checkAudit(profile),
    findMonitoringProblem(profile),
  ].find((problem) => problem !== undefined);
}

function checkName({ name }: InfraProfile): ProfileProblem | undefined {
  if (NAME_PATTERN.test(name)) return undefined;
  const allowed = 'at most 64 letters, digits and hyphens: CloudFormation stacks are named after it';
  return { field: 'name', value: name, allowed };
}

function checkIssuer({ identityProvider, federation }: InfraProfile): ProfileProblem | undefined {
  const { type, issuer, loginKey } = identityProvider;
  // IAM registers providers by https URL only and refuses a port.
  if (!/^https:\/\/[A-Za-z0-9.-]+(\/[^\s?#]*)?$/.test(issuer) || issuer !== `https://${loginKey}`) {
    const allowed = 'an https URL without port, query or fragment: AWS must reach and register it';
    return { field: 'issuer', value: issuer, allowed };
  }
  // Checked here because Cognito would otherwise fail the deployment half-way with a less clear text.
  const isUserPool = /^cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\/[\w-]+$/.test(loginKey);
  if (type === 'cognito' && federation.type === 'cognito' && !isUserPool) {
    const allowed = 'https://cognito-idp.REGION.amazonaws.com/USER_POOL_ID for a Cognito user pool';
    return { field: 'issuer', value: issuer, allowed };
  }
  return undefined;
}

function checkClientId({ identityProvider }: InfraProfile): ProfileProblem | undefined {
  const { type, clientId } = identityProvider;
  const isUserPool = type === 'cognito';
  // An identity pool takes only such a client id for a user pool; user pools issue no others.
  if (isUserPool ? /^\w{1,128}$/.test(clientId) : /^\S{1,255}$/.test(clientId)) return undefined;
  const allowed = isUserPool
    ? '1 to 128 letters, digits and underscores'
    : '1 to 255 characters without spaces';
  return { field: 'clientId', value: clientId, allowed };
}

function checkRegion({ region }: InfraProfile): ProfileProblem | undefined {
  if (partitionOf(region)) return undefined;
  const allowed = 'a region of the commercial, GovCloud (US) or China partition, such as us-east-1';
  return { field: 'region', value: region, allowed };
}

function checkBedrockRegions({ region, bedrock }: InfraProfile): ProfileProblem | undefined {
  const partition = partitionOf(region);
  const wellFormed = bedrock.regions.every((candidate) => partitionOf(candidate) === partition);
  if (bedrock.regions.length > 0 && wellFormed) return undefined;
  const allowed = `at least one region, all in the partition of ${region}`;
  return { field: 'bedrock.regions', value: bedrock.regions, allowed };
}

function checkSessionSeconds({ federation }: InfraProfile): ProfileProblem | undefined {
  if (federation.type !== 'direct') return undefined;
  const seconds = federation.maxSessionSeconds;
  const { least, most } = SESSION_SECONDS;
  if (Number.isInteger(seconds) && seconds >= least && seconds <= most) return undefined;
  const allowed = `a whole number of seconds from ${least} to ${most}`;
  return { field: 'federation.maxSessionSeconds', value: seconds, allowed };
}
