import { type Config, PROFILE_NAME_PATTERN, parseConfig } from '../../protocol/config.ts';
import { CcwbError, errorLines } from '../../protocol/errors.ts';
import { Failure } from './failure.ts';
import { havoc } from './havoc.ts';
import { mutatedJson } from './json.ts';
import { measured } from './measure.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

/** Every field there is, in files that an administrator may have written. */
const FILES: readonly unknown[] = [
  {
    profiles: {
      ClaudeCode: {
        provider_type: 'generic',
        issuer: 'https://idp.example/realms/a',
        client_id: 'claude-code',
        client_secret: 'not-so-secret',
        scopes: 'openid profile email offline_access',
        aws_region: 'eu-central-1',
        federation_type: 'cognito',
        identity_pool_id: 'eu-central-1:11111111-2222-4333-8444-555555555555',
        cognito_identity_endpoint: 'https://cognito.example',
        credential_storage: 'keyring',
        redirect_port: 8400,
      },
      Direct: {
        provider_domain: 'company.okta.com',
        okta_auth_server: 'default',
        client_id: '0oa1',
        federated_role_arn: 'arn:aws:iam::123456789012:role/Claude',
        max_session_duration: 3600,
        sts_endpoint: 'http://127.0.0.1:4566',
      },
    },
  },
  {
    ClaudeCode: {
      okta_domain: 'company.okta.com',
      okta_client_id: '0oa1',
      identity_pool_name: 'us-east-1:11111111-2222-4333-8444-555555555555',
    },
    Pool: {
      provider_domain: 'a.auth.eu-west-1.amazoncognito.com',
      cognito_user_pool_id: 'eu-west-1_a',
      client_id: 'x',
    },
    Tenant: {
      provider_domain: 'login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0',
      client_id: 'y',
    },
  },
];

const PATH = '/home/ada/claude-code-with-bedrock/config.json';

/** config.json as an administrator, another tool or a bad disk may have left it. */
export const configTarget: Target = {
  name: 'config',
  count: 100_000,
  every: 20_000,
  atOnce: 1,
  open: async () => ({
    run: (random) => judge(text(random)),
    check: async () => measured(),
    close: async () => {},
  }),
};

function text(random: Random): string {
  const json = mutatedJson(random.pick(FILES), random);
  return random.chance(0.2) ? havoc(Buffer.from(json), random, random.below(3) + 1).toString() : json;
}

function judge(text: string): void {
  let config: Config;
  try {
    config = parseConfig(text, PATH);
  } catch (error) {
    judgeError(error, text);
    return;
  }
  for (const error of config.invalid.values()) judgeError(error, text);
  for (const profile of config.profiles.values()) {
    const { name, identityProvider, clientId, scopes, redirectPort, federation } = profile;
    const url = new URL(identityProvider.issuer);
    const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
    const good =
      PROFILE_NAME_PATTERN.test(name) &&
      (url.protocol === 'https:' || (url.protocol === 'http:' && loopback)) &&
      clientId !== '' &&
      scopes.includes('openid') &&
      Number.isInteger(redirectPort) &&
      redirectPort > 0 &&
      redirectPort < 65_536 &&
      (federation.type === 'direct' ? federation.roleArn : federation.identityPoolId).length > 0;
    if (!good) throw new Failure('a profile that must not be', text, JSON.stringify(profile));
  }
}

/** Two lines for a person, whatever the file holds: no line breaks or terminal codes, and no end of text. */
function judgeError(error: unknown, sent: string): void {
  if (!(error instanceof CcwbError) || !error.code.startsWith('ERR_CONFIG_'))
    throw new Failure('not an error of the configuration', sent, String(error));
  const lines = errorLines('x', error);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const printable = /^[^\x00-\x1f\x7f-\x9f\u2028-\u202e]{1,1000}$/;
  const [first = '', second = '', rest] = lines.split('\n');
  if (!printable.test(first) || !printable.test(second) || rest !== '')
    throw new Failure('an error that is not two lines', sent, lines);
}
