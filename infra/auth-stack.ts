import {
  CfnIdentityPool,
  CfnIdentityPoolPrincipalTag,
  type CfnIdentityPoolProps,
  CfnIdentityPoolRoleAttachment,
} from 'aws-cdk-lib/aws-cognito';
import {
  CfnOIDCProvider,
  CfnRole,
  FederatedPrincipal,
  PolicyDocument,
  PolicyStatement,
} from 'aws-cdk-lib/aws-iam';
import { CfnOutput, type IStackSynthesizer, LegacyStackSynthesizer, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { bedrockPolicy } from './bedrock-policy.ts';
import { AUTH_OUTPUTS, deploymentName, stackName } from './outputs.ts';
import { partitionOf } from './partition.ts';
import { GOOGLE_LOGIN_KEY, type InfraProfile } from './profile.ts';

/**
 * Who may use Bedrock and how: the identity provider's registration, an identity pool unless federation is
 * direct, and the one role that signed-in users get.
 *
 * Everything is L1: logical ids are a contract (a changed id replaces a pool in use) and L1 takes them
 * as written; and the L2 identity pool always adds a role for unauthenticated users.
 */
export class AuthStack extends Stack {
  readonly #profile: InfraProfile;

  /** @param profile must have passed `findProfileProblem`. */
  constructor(scope: Construct, profile: InfraProfile) {
    super(scope, 'auth', {
      stackName: stackName(profile.name, 'auth'),
      description: `Claude Code with Bedrock: sign-in and Bedrock access for ${profile.name}`,
      env: { region: profile.region },
      // Neither assets nor a bootstrapped account are needed. The class is an IStackSynthesizer in all but
      // the letter: its declaration predates exactOptionalPropertyTypes.
      synthesizer: new LegacyStackSynthesizer() as IStackSynthesizer,
    });
    this.#profile = profile;

    const provider = this.#registerProvider();
    if (profile.federation.type === 'direct') {
      const { loginKey, clientId } = profile.identityProvider;
      const trust = webIdentityTrust(provider?.attrArn ?? loginKey, {
        StringEquals: { [`${loginKey}:aud`]: clientId },
      });
      this.#createRole(trust, profile.federation.maxSessionSeconds);
    } else {
      const pool = this.#createIdentityPool(provider);
      const role = this.#createRole(identityPoolTrust(pool, profile.region));
      this.#attachRole(pool, role, provider);
    }
  }

  /** Registers the issuer in IAM where AWS does not know it already. */
  #registerProvider(): CfnOIDCProvider | undefined {
    const { federation, identityProvider } = this.#profile;
    const { type, issuer, loginKey, clientId } = identityProvider;
    if (loginKey === GOOGLE_LOGIN_KEY) return undefined;
    // An identity pool takes a user pool as such; to STS it is an issuer like any other.
    if (type === 'cognito' && federation.type === 'cognito') return undefined;
    // No thumbprints: IAM trusts public CAs by itself and fetches the rest.
    return new CfnOIDCProvider(this, 'OidcProvider', { url: issuer, clientIdList: [clientId] });
  }

  #createIdentityPool(provider: CfnOIDCProvider | undefined): CfnIdentityPool {
    const pool = new CfnIdentityPool(this, 'IdentityPool', {
      identityPoolName: deploymentName(this.#profile.name),
      allowUnauthenticatedIdentities: false,
      // The classic flow would let a user choose any role that trusts the pool.
      allowClassicFlow: false,
      ...this.#poolProvider(provider),
    });
    this.#output(AUTH_OUTPUTS.identityPoolId, pool.ref, 'identity_pool_id of config.json');
    return pool;
  }

  #poolProvider(provider: CfnOIDCProvider | undefined): Partial<CfnIdentityPoolProps> {
    const { type, loginKey, clientId } = this.#profile.identityProvider;
    if (provider) return { openIdConnectProviderArns: [provider.attrArn] };
    if (type === 'cognito') {
      // The check makes a sign-out or a disabled user in the pool end access at the next exchange.
      const userPool = { providerName: loginKey, clientId, serverSideTokenCheck: true };
      return { cognitoIdentityProviders: [userPool] };
    }
    return { supportedLoginProviders: { [loginKey]: clientId } };
  }

  #createRole(trust: PolicyDocument, maxSessionSeconds?: number): CfnRole {
    const role = new CfnRole(this, 'AuthenticatedRole', {
      description: `Bedrock access for users of ${this.#profile.name}`,
      assumeRolePolicyDocument: trust,
      policies: [{ policyName: 'Bedrock', policyDocument: bedrockPolicy(this, this.#profile) }],
      ...(maxSessionSeconds !== undefined && { maxSessionDuration: maxSessionSeconds }),
    });
    this.#output(AUTH_OUTPUTS.roleArn, role.attrArn, 'role that signed-in users get');
    return role;
  }

  #attachRole(pool: CfnIdentityPool, role: CfnRole, provider: CfnOIDCProvider | undefined): void {
    const { type, loginKey } = this.#profile.identityProvider;
    new CfnIdentityPoolRoleAttachment(this, 'IdentityPoolRoles', {
      identityPoolId: pool.ref,
      roles: { authenticated: role.attrArn },
    });
    new CfnIdentityPoolPrincipalTag(this, 'PrincipalTags', {
      identityPoolId: pool.ref,
      identityProviderName: provider?.attrArn ?? loginKey,
      useDefaults: false,
      // Session tags by claim: they name the user in CloudTrail.
      principalTags: {
        UserEmail: 'email',
        UserId: 'sub',
        UserName: type === 'cognito' ? 'preferred_username' : 'name',
      },
    });
  }

  #output(key: string, value: string, description: string): void {
    new CfnOutput(this, key, { value, description });
  }
}

/** Only tokens that this pool issued to somebody who signed in. */
function identityPoolTrust(pool: CfnIdentityPool, region: string): PolicyDocument {
  const principal = identityPoolPrincipal(region);
  return webIdentityTrust(principal, {
    StringEquals: { [`${principal}:aud`]: pool.ref },
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
