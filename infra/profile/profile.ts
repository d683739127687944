/** The typed input of every stack: one deployment, described without CDK. `check-profile.ts` has its rules. */

import type { ProviderType } from '../../protocol/issuer.ts';
import type { GeographyId } from './geographies.ts';

export type InfraProfile = {
  /** Name of the deployment. Stack and resource names derive from it, so it is unique per account and region. */
  readonly name: string;
  readonly identityProvider: RegisteredProvider;
  /** Region the stacks are created in. It decides the partition. */
  readonly region: string;
  readonly bedrock: {
    /** Regions from which Bedrock may be called. A call of a model itself also runs there. */
    readonly regions: readonly string[];
    /**
     * Geographies whose inference profiles (`us.`, `eu.`, …) may be called from `regions`. Such a call runs
     * wherever in the geography AWS routes it. Empty: none, and few models can be called.
     */
    readonly geographies: readonly GeographyId[];
    /**
     * True when global inference profiles (`global.`) may be called from `regions`. They run in any commercial
     * region. No effect outside partition `aws`.
     */
    readonly globalInference: boolean;
    /** Allow-list of model ids, `*` as in IAM, e.g. `anthropic.claude-*`; without a geography. Absent: all. */
    readonly models?: readonly string[];
    /** The guardrail that calls may name. Absent: none. */
    readonly guardrail?: Guardrail;
    /** True when Bedrock's endpoint for the Messages API (`bedrock-mantle`) may be called from `regions`. */
    readonly mantle?: boolean;
  };
  readonly federation: FederationProfile;
  /**
   * Session tags by which CloudTrail names people; no effect with direct federation. Absent: those whose values
   * AWS never refuses, by the provider's type.
   */
  readonly sessionTags?: readonly SessionTag[];
  /** Groups of the identity provider that may use Bedrock. Absent: anyone who can sign in. */
  readonly accessGroups?: AccessGroups;
  /** A trail of every call to Bedrock, kept for so many days. Absent: none. */
  readonly audit?: { readonly retentionDays: number };
  /** Absent: no telemetry is collected, and neither `networking` nor anything after it is made. */
  readonly monitoring?: Monitoring;
};

/**
 * A profile whose provider may be missing or incomplete, as the wizard has it between two answers. Every
 * {@link InfraProfile} is one.
 */
export type InfraCandidate = Omit<InfraProfile, 'identityProvider'> & {
  readonly identityProvider: Partial<RegisteredProvider>;
};

export type SessionTag = 'UserEmail' | 'UserId' | 'UserName';

/** A guardrail of Bedrock, by which it checks prompts and answers. */
export type Guardrail = {
  /** Its id in the regions of the profile, or its ARN. */
  readonly id: string;
  /** `DRAFT`, or the number of a version. */
  readonly version: string;
};

/** The OpenID Connect identity provider that IAM and Cognito get registered. */
export type RegisteredProvider = {
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
   * True when IAM has the issuer already, with `clientId` among its audiences: by another deployment, or by
   * hand. An account can register an issuer once.
   */
  readonly registered?: boolean;
  /**
   * True when other deployments or applications use the registration too: the role then admits only tokens whose
   * `aud` is `clientId`. Cognito itself checks no more than that IAM's registration has the audience.
   */
  readonly requiresClientId?: boolean;
};

/** Limits access to users with one of `groups` in this claim of the ID token. */
export type AccessGroups = {
  /** E.g. `groups` or `cognito:groups`; for direct federation a session tag (see `sessionTagOf`). */
  readonly claim: string;
  readonly groups: readonly string[];
  /**
   * Comparison of a group with the claim in an identity pool: `contains` (the default) for a claim that is a
   * list, `equals` for one that is a single text. With `contains` a group matches inside longer names too.
   */
  readonly match?: 'contains' | 'equals';
};

/** The collector of Claude Code's telemetry, and what is made of the data. */
export type Monitoring = {
  readonly network: NetworkChoice;
  /**
   * True when the load balancer has private addresses only. With a domain its subnets then need a NAT gateway:
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
  /** Retention of the log groups, in days. */
  readonly retentionDays: number;
  readonly alarms?: {
    readonly email?: string;
    readonly tokensPerHour: number;
    readonly dailyCostUsd: number;
    readonly bedrockErrorsPerHour: number;
  };
  readonly analytics?: {
    readonly glacierAfterDays: number;
    /** Retention of Athena's results, in days. */
    readonly resultsDays: number;
  };
};

export type NetworkChoice =
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

/** The exchange of an ID token for AWS credentials: through a Cognito identity pool, or directly through STS. */
export type FederationProfile =
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
  | 'bedrock.geographies'
  | 'bedrock.models'
  | 'bedrock.guardrail'
  | 'federation.maxSessionSeconds'
  | 'jwksUri'
  | 'sessionTags'
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
