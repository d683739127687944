/** Step: the identity provider. */

import { DEFAULT_REDIRECT_PORT } from '../../../protocol/config.ts';
import { detectProviderType, type ProviderType, resolveIdentityProvider } from '../../../protocol/issuer.ts';
import type { AdminProfile } from '../../profiles/admin-profile.ts';
import {
  domainOf,
  numberField,
  providerFields,
  providerOf,
  providerTypeOf,
  textField,
} from '../../profiles/profile-values.ts';
import { oneLine } from '../../terminal/text.ts';
import { discover, isLoopback } from '../discovery.ts';
import { withConfig, withInfra } from '../edit.ts';
import { type Context, type HasProfile, type LiveCheck, question, type WizardStep } from '../question.ts';
import { domainFields, PROVIDER_NAMES, splitHost, withProvider } from './provider-answers.ts';

/** Guides of the documentation, by type. */
const GUIDES: Readonly<Record<ProviderType, string>> = {
  okta: 'docs/providers/okta.md',
  auth0: 'docs/providers/auth0.md',
  azure: 'docs/providers/microsoft-entra-id.md',
  cognito: 'docs/providers/cognito-user-pool.md',
  google: 'docs/providers/google.md',
  generic: 'docs/providers/keycloak.md',
};

const HOST = 'a host name with or without a path, such as company.okta.com, or an https URL';
const SECURE_URL = 'an https URL without query or fragment (http only on 127.0.0.1, [::1] or localhost)';

/** Accepts the issuers that config.json accepts. */
function isIssuer(text: string): boolean {
  if (!/^https?:\/\/[^\s?#@\\]+$/i.test(text) || !URL.canParse(text)) return false;
  return /^https:/i.test(text) || isLoopback(text);
}

function isType(type: ProviderType) {
  return ({ profile }: HasProfile): boolean => providerTypeOf(profile) === type;
}

const hasIssuer = ({ profile }: HasProfile): boolean => profile.config.issuer !== undefined;

/** Returns the path of the answered domain; for some providers it answers the next question. */
const pathOf = ({ profile, answers }: Pick<Context, 'profile' | 'answers'>): string =>
  splitHost(answers['provider-domain'] ?? domainOf(profile) ?? '').path;

/** Returns what is allowed when the provider's fields do not determine an issuer. */
function issuerProblem({ profile }: HasProfile): string | undefined {
  const provider = resolveIdentityProvider(providerFields(profile));
  return 'problem' in provider ? provider.problem.allowed : undefined;
}

function domainProblem(typed: string, { profile }: Context): string | undefined {
  const { host } = splitHost(typed);
  if (/^https?:/i.test(typed) && !isIssuer(typed)) return SECURE_URL;
  const resolved = resolveIdentityProvider({ provider_type: 'generic', provider_domain: typed });
  if ('problem' in resolved) return HOST;
  // The console has a host of its own, and it is the one in an administrator's address bar.
  if (/-admin\.(okta|oktapreview|okta-emea)\.com$/.test(host))
    return `the domain people sign in at, ${host.replace('-admin.', '.')}; this is the admin console`;
  return providerTypeOf(profile) === 'auth0' || providerTypeOf(profile) === 'okta'
    ? issuerProblem({ profile })
    : undefined;
}

function withTenant(profile: AdminProfile, tenant: string): AdminProfile {
  const { host } = splitHost(textField(profile, 'provider_domain') ?? '');
  const authority = host.endsWith('.microsoftonline.com') ? host : 'login.microsoftonline.com';
  return withConfig(profile, { provider_domain: `${authority}/${tenant}/v2.0` });
}

const TENANT = 'the id of your tenant, such as 72f988bf-86f1-41af-91ab-2d7cd011db47';

const check: LiveCheck = {
  flag: 'no-check-provider',
  unchecked: 'whether the identity provider answers, and for this issuer',
  asks: ({ profile }) => providerOf(profile)?.issuer ?? 'the identity provider',
  run: async ({ profile }, { fetch, interrupted }) => {
    const provider = providerOf(profile);
    return provider ? { discovery: await discover(provider.issuer, fetch, interrupted) } : {};
  },
  tell: ({ discovery }, voice, { profile }) => {
    if (!discovery) return;
    const yes = (is: boolean): string => (is ? 'yes' : 'not offered');
    voice.say([
      `It answers as ${discovery.issuer}`,
      `authorization code with PKCE    ${discovery.pkce === true ? 'yes' : 'not told; tried at the first sign-in'}`,
      `refresh tokens                  ${discovery.refreshTokens ? 'yes' : 'not told; see its guide'}`,
      `sign-in with another device     ${yes(discovery.deviceGrant)}`,
    ]);
    if (isLoopback(discovery.issuer)) {
      voice.warn(
        'It is on this machine, which is good for trying: AWS cannot reach it, and ccwb deploy refuses it.',
      );
    }
    if (!discovery.rs256) {
      voice.warn('Its ID tokens are not signed with RS256, the only way a load balancer can check them.');
    }
    const { jwksUri } = profile.infra;
    if (jwksUri !== undefined && jwksUri !== discovery.jwksUri) {
      voice.warn(
        `Its keys are at ${oneLine(discovery.jwksUri)}, and the profile has ${oneLine(jwksUri)}; --jwks-uri changes that.`,
      );
    }
  },
};

function redirectPortOf(profile: AdminProfile): number {
  return numberField(profile, 'redirect_port') ?? DEFAULT_REDIRECT_PORT;
}

/** Returns the prompt for the client id, with the settings that the application at the provider needs. */
function applicationNote({ profile }: Context): string {
  const type = providerTypeOf(profile) ?? 'generic';
  return `Client id of the application (redirect URI http://localhost:${redirectPortOf(profile)}/callback; guide: ${GUIDES[type]})`;
}

export const providerStep: WizardStep = {
  title: 'Identity provider',
  says: () => 'Who people sign in with. It needs an application for this; the guides are in docs/providers.',
  questions: [
    question<'issuer'>({
      name: 'issuer',
      today: (profile) => textField(profile, 'issuer'),
      check: (issuer) => (isIssuer(issuer) ? undefined : SECURE_URL),
      write: (profile, issuer) => withProvider(profile, { issuer }),
      fields: ['issuer'],
    }),
    question<'provider-domain'>({
      name: 'provider-domain',
      message: () => 'Domain of your identity provider, or its issuer (https://…)',
      arises: ({ answers }) => answers.issuer === undefined,
      today: domainOf,
      check: domainProblem,
      write: (profile, typed) => withProvider(profile, domainFields(typed)),
      fields: ['issuer'],
      example: 'company.okta.com',
    }),
    question<'provider-type'>({
      name: 'provider-type',
      message: () => 'What is it?',
      isAsked: ({ profile }) => {
        const domain = domainOf(profile);
        return domain !== undefined && detectProviderType(domain) === undefined;
      },
      today: providerTypeOf,
      proposal: ({ profile }) =>
        splitHost(domainOf(profile) ?? '').host.endsWith('.onmicrosoft.com') ? 'azure' : 'generic',
      choices: () =>
        (['generic', 'okta', 'auth0', 'azure', 'cognito'] as const).map((value) => ({
          value,
          label: PROVIDER_NAMES[value],
          ...(value !== 'generic' && { hint: 'under a domain of your own' }),
        })),
      write: (profile, type) => withConfig(profile, { provider_type: type }),
    }),
    question<'okta-auth-server'>({
      name: 'okta-auth-server',
      message: () => "Authorization server (empty: the organisation's own)",
      arises: (c) => isType('okta')(c) && !hasIssuer(c) && pathOf(c) === '',
      today: (profile) => textField(profile, 'okta_auth_server') ?? '',
      check: (id) => (/^[\w-]*$/.test(id) ? undefined : 'its id, such as default or aus1a2b3c; or empty'),
      write: (profile, id) => withConfig(profile, { okta_auth_server: id || undefined }),
      fields: ['issuer'],
      example: 'default',
      optional: true,
    }),
    question<'tenant'>({
      name: 'tenant',
      message: () => 'Tenant id (Entra admin centre, Overview)',
      arises: (c) =>
        isType('azure')(c) &&
        !hasIssuer(c) &&
        !splitHost(domainOf(c.profile) ?? '').host.endsWith('.onmicrosoft.com') &&
        /^\/?(common|organizations|consumers)?(\/v2\.0)?$/i.test(pathOf(c)),
      today: () => undefined,
      check: (tenant, c) => (/^[\w.-]+$/.test(tenant) && !issuerProblem(c) ? undefined : TENANT),
      write: withTenant,
      fields: ['issuer'],
      example: '72f988bf-86f1-41af-91ab-2d7cd011db47',
    }),
    question<'cognito-user-pool-id'>({
      name: 'cognito-user-pool-id',
      message: () => 'Id of the user pool',
      arises: (c) => isType('cognito')(c) && !hasIssuer(c) && pathOf(c) === '',
      today: (profile) => textField(profile, 'cognito_user_pool_id'),
      check: (_, c) => issuerProblem(c),
      write: (profile, id) => withConfig(profile, { cognito_user_pool_id: id }),
      fields: ['issuer'],
      example: 'us-east-1_Ab12Cd34E',
    }),
    question<'client-id'>({
      name: 'client-id',
      message: applicationNote,
      today: (profile) => textField(profile, 'client_id'),
      write: (profile, id) => withConfig(profile, { client_id: id }),
      fields: ['clientId'],
      example: '0oa1example',
    }),
    question<'client-secret-file'>({
      name: 'client-secret-file',
      message: () => 'Client secret (Google gives desktop applications one; it protects nothing)',
      isAsked: isType('google'),
      today: (profile) => textField(profile, 'client_secret'),
      check: (secret) => (/^\S+$/.test(secret) ? undefined : 'a text without spaces'),
      write: (profile, secret) => withConfig(profile, { client_secret: secret }),
    }),
    question<'redirect-port'>({
      name: 'redirect-port',
      today: redirectPortOf,
      check: (port) =>
        Number.isInteger(port) && port >= 1 && port <= 65_535 ? undefined : 'a whole number from 1 to 65535',
      write: (profile, port) => withConfig(profile, { redirect_port: port }),
    }),
  ],
  check,
};

/** The provider's keys, where AWS has to be told them: known from discovery, or asked. */
export const jwksQuestion = question<'jwks-uri'>({
  name: 'jwks-uri',
  message: () => "Address of the provider's keys (jwks_uri of its discovery document)",
  isAsked: (c) =>
    isType('generic')(c) && c.profile.infra.monitoring?.domain !== undefined && !c.findings.discovery,
  today: ({ infra }) => infra.jwksUri,
  write: (profile, url) => withInfra(profile, { jwksUri: url }),
  fields: ['jwksUri'],
  example: 'https://sso.company.example/keys',
});
