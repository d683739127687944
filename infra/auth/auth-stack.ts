import {
  CfnIdentityPool,
  CfnIdentityPoolPrincipalTag,
  type CfnIdentityPoolProps,
  CfnIdentityPoolRoleAttachment,
  type CfnIdentityPoolRoleAttachmentProps,
} from 'aws-cdk-lib/aws-cognito';
import {
  CfnOIDCProvider,
  CfnRole,
  FederatedPrincipal,
  PolicyDocument,
  PolicyStatement,
} from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { DeploymentStack } from '../deployment-stack.ts';
import { AUTH_OUTPUTS, deploymentName } from '../outputs.ts';
import { sessionTagOf } from '../profile/access-checks.ts';
import { partitionOf } from '../profile/partition.ts';
import { GOOGLE_LOGIN_KEY, type InfraProfile } from '../profile/profile.ts';
import { claimsOf } from '../profile/session-tags.ts';
import { createAuditTrail } from './audit.ts';
import { bedrockPolicy } from './bedrock-policy.ts';

/** Session tag with the client id that a token was made for. */
const CLIENT_ID_TAG = 'ClientId';

/**
 * Sign-in and access to Bedrock: the registration of the identity provider, an identity pool unless
 * federation is direct, and the one role of signed-in users.
 *
 * Everything is L1: logical ids are a contract (a changed id replaces a pool in use) and L1 takes them
 * as written; and the L2 identity pool always adds a role for unauthenticated users.
 */
export class AuthStack extends DeploymentStack {
  readonly #profile: InfraProfile;

  /** @param profile must have passed `findProfileProblem`. */
  constructor(scope: Construct, profile: InfraProfile) {
    super(scope, 'auth', profile, 'sign-in and Bedrock access');
    this.#profile = profile;

    const provider = this.#registerProvider();
    if (profile.federation.type === 'direct') {
      this.#createRole(this.#directTrust(provider), profile.federation.maxSessionSeconds);
    } else {
      const pool = this.#createIdentityPool(provider);
      const role = this.#createRole(this.#poolTrust(pool, provider));
      this.#attachRole(pool, role, provider);
    }
    if (profile.audit) {
      const bucket = createAuditTrail(this, profile.name, profile.audit.retentionDays);
      this.output(AUTH_OUTPUTS.auditBucketName, bucket.ref, 'bucket of the audit trail');
    }
  }

  /**
   * Registers the issuer in IAM where AWS does not know it already.
   *
   * @returns ARN of the registration; undefined where there is none.
   */
  #registerProvider(): string | undefined {
    const { federation, identityProvider } = this.#profile;
    const { type, issuer, loginKey, clientId, registered } = identityProvider;
    if (loginKey === GOOGLE_LOGIN_KEY) return undefined;
    // An identity pool takes a user pool as such; to STS it is an issuer like any other.
    if (type === 'cognito' && federation.type === 'cognito') return undefined;
    if (registered) {
      return this.formatArn({
        service: 'iam',
        region: '',
        resource: 'oidc-provider',
        resourceName: loginKey,
      });
    }
    // No thumbprints: IAM trusts public CAs by itself and fetches the rest.
    return new CfnOIDCProvider(this, 'OidcProvider', { url: issuer, clientIdList: [clientId] }).attrArn;
  }

  #createIdentityPool(provider: string | undefined): CfnIdentityPool {
    const pool = new CfnIdentityPool(this, 'IdentityPool', {
      identityPoolName: deploymentName(this.#profile.name),
      allowUnauthenticatedIdentities: false,
      // The classic flow would let a user choose any role that trusts the pool.
      allowClassicFlow: false,
      ...this.#poolProvider(provider),
    });
    this.output(AUTH_OUTPUTS.identityPoolId, pool.ref, 'identity_pool_id of config.json');
    return pool;
  }

  #poolProvider(provider: string | undefined): Partial<CfnIdentityPoolProps> {
    const { type, loginKey, clientId } = this.#profile.identityProvider;
    if (provider) return { openIdConnectProviderArns: [provider] };
    if (type === 'cognito') {
      // The check makes a sign-out or a disabled user in the pool end access at the next exchange.
      const userPool = { providerName: loginKey, clientId, serverSideTokenCheck: true };
      return { cognitoIdentityProviders: [userPool] };
    }
    return { supportedLoginProviders: { [loginKey]: clientId } };
  }

  #poolTrust(pool: CfnIdentityPool, provider: string | undefined): PolicyDocument {
    const { identityProvider, region } = this.#profile;
    return identityPoolTrust(pool, region, {
      // A token of another client carries another tag, and then the condition does not hold.
      ...(this.#tagsClientId(provider) && { [`aws:RequestTag/${CLIENT_ID_TAG}`]: identityProvider.clientId }),
    });
  }

  /** Only a registration in IAM can have more audiences than this deployment's client id. */
  #tagsClientId(provider: string | undefined): boolean {
    return provider !== undefined && this.#profile.identityProvider.requiresClientId === true;
  }

  #directTrust(provider: string | undefined): PolicyDocument {
    const { accessGroups, identityProvider } = this.#profile;
    const { loginKey, clientId } = identityProvider;
    const tag = accessGroups && sessionTagOf(accessGroups.claim);
    return webIdentityTrust(provider ?? loginKey, {
      StringEquals: {
        [`${loginKey}:aud`]: clientId,
        // A token without the tag has no such key, and then the condition does not hold.
        ...(tag !== undefined && { [`aws:RequestTag/${tag}`]: accessGroups?.groups }),
      },
    });
  }

  #createRole(trust: PolicyDocument, maxSessionSeconds?: number): CfnRole {
    const role = new CfnRole(this, 'AuthenticatedRole', {
      description: `Bedrock access for users of ${this.#profile.name}`,
      assumeRolePolicyDocument: trust,
      policies: [{ policyName: 'Bedrock', policyDocument: bedrockPolicy(this, this.#profile) }],
      ...(maxSessionSeconds !== undefined && { maxSessionDuration: maxSessionSeconds }),
    });
    this.output(AUTH_OUTPUTS.roleArn, role.attrArn, 'role that signed-in users get');
    return role;
  }

  #attachRole(pool: CfnIdentityPool, role: CfnRole, provider: string | undefined): void {
    const { type, loginKey } = this.#profile.identityProvider;
    new CfnIdentityPoolRoleAttachment(this, 'IdentityPoolRoles', {
      identityPoolId: pool.ref,
      ...this.#rolesOf(pool, role, provider),
    });
    const principalTags = {
      ...claimsOf(type, this.#profile.sessionTags),
      ...(this.#tagsClientId(provider) && { [CLIENT_ID_TAG]: 'aud' }),
    };
    if (Object.keys(principalTags).length === 0) return;
    new CfnIdentityPoolPrincipalTag(this, 'PrincipalTags', {
      identityPoolId: pool.ref,
      identityProviderName: provider ?? loginKey,
      useDefaults: false,
      principalTags,
    });
  }

  /** One role for everybody; or, by group, one for those who have it and nothing for the others. */
  #rolesOf(
    pool: CfnIdentityPool,
    role: CfnRole,
    provider: string | undefined,
  ): Pick<CfnIdentityPoolRoleAttachmentProps, 'roles' | 'roleMappings'> {
    const { accessGroups, identityProvider, region } = this.#profile;
    if (!accessGroups) return { roles: { authenticated: role.attrArn } };
    const { claim, groups, match = 'contains' } = accessGroups;
    const { type, loginKey, clientId } = identityProvider;
    // Cognito wants a default role, and with Deny gives it to nobody. Should that ever be changed by hand,
    // it still allows nothing.
    const nobody = new CfnRole(this, 'NoAccessRole', {
      description: `No access: users of ${this.#profile.name} without a group that has it`,
      assumeRolePolicyDocument: identityPoolTrust(pool, region),
    });
    const rules = groups.map((value) => ({
      claim,
      matchType: match === 'equals' ? 'Equals' : 'Contains',
      value,
      roleArn: role.attrArn,
    }));
    return {
      roles: { authenticated: nobody.attrArn },
      roleMappings: {
        // The key is only a name: the provider's own may be an ARN that is not known yet.
        provider: {
          identityProvider: provider ?? (type === 'cognito' ? `${loginKey}:${clientId}` : loginKey),
          type: 'Rules',
          ambiguousRoleResolution: 'Deny',
          rulesConfiguration: { rules },
        },
      },
    };
  }
}

/** Only tokens that this pool issued to somebody who signed in. */
function identityPoolTrust(
  pool: CfnIdentityPool,
  region: string,
  tags: Readonly<Record<string, string>> = {},
): PolicyDocument {
  const principal = identityPoolPrincipal(region);
  return webIdentityTrust(principal, {
    StringEquals: { [`${principal}:aud`]: pool.ref, ...tags },
    'ForAnyValue:StringLike': { [`${principal}:amr`]: 'authenticated' },
  });
}

function webIdentityTrust(principal: string, conditions: Record<string, object>): PolicyDocument {
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        principals: [new FederatedPrincipal(principal)],
        // TagSession: without it STS refuses a token that carries the principal tags.
        actions: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'],
        conditions,
      }),
    ],
  });
}

/**
 * Issuer of an identity pool's tokens: the principal and the prefix of the condition keys. A key cannot
 * be an intrinsic function, so it is decided here by region. GovCloud's two are in the GovCloud user
 * guide, "Amazon Cognito"; China's is the one AWS's mobile SDKs use.
 */
function identityPoolPrincipal(region: string): string {
  if (region === 'us-gov-west-1') return 'cognito-identity-us-gov.amazonaws.com';
  switch (partitionOf(region)) {
    case 'aws-us-gov':
      return `cognito-identity.${region}.amazonaws.com`;
    case 'aws-cn':
      return `cognito-identity.${region}.amazonaws.com.cn`;
    default:
      return 'cognito-identity.amazonaws.com';
  }
}
