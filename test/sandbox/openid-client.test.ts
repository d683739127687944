import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
  randomPKCECodeVerifier,
  refreshTokenGrant,
  tokenRevocation,
} from 'openid-client';
import t from 'tap';
import { approveDevice, signInOverHttp } from '../../sandbox/browser/browserless.ts';
import {
  type BadIdToken,
  type SandboxProvider,
  startIdentityProvider,
} from '../../sandbox/provider/identity-provider.ts';

async function connect(provider: SandboxProvider) {
  const execute = [allowInsecureRequests, enableNonRepudiationChecks];
  const config = await discovery(new URL(provider.issuer), provider.clientId, undefined, None(), { execute });
  async function signIn() {
    const pkceCodeVerifier = randomPKCECodeVerifier();
    const url = buildAuthorizationUrl(config, {
      redirect_uri: 'http://localhost:8400/callback',
      scope: 'openid profile email offline_access',
      code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: 'state',
      nonce: 'nonce',
    });
    const { callbackUrl = '' } = await signInOverHttp(url, {}, { callback: false });
    const checks = { pkceCodeVerifier, expectedState: 'state', expectedNonce: 'nonce' };
    return authorizationCodeGrant(config, new URL(callbackUrl), checks);
  }
  return { config, signIn };
}

t.test('openid-client signs in, refreshes, and revokes', async (t) => {
  const provider = await startIdentityProvider({ signIn: 'automatic' });
  t.teardown(provider.close);
  const { config, signIn } = await connect(provider);
  const tokens = await signIn();
  t.match(tokens.claims(), { email: 'demo@example.com' });
  const next = await refreshTokenGrant(config, tokens.refresh_token ?? '');
  t.match(next.claims(), { email: 'demo@example.com' });
  await tokenRevocation(config, next.refresh_token ?? '');
  const refused = await refreshTokenGrant(config, next.refresh_token ?? '').catch((cause: unknown) => cause);
  t.match(refused, { error: 'invalid_grant' });
  t.same(provider.serverErrors, []);
});

t.test('openid-client signs a device in', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { config } = await connect(provider);
  const verifier = randomPKCECodeVerifier();
  const device = await initiateDeviceAuthorization(config, {
    scope: 'openid email offline_access',
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const polling = pollDeviceAuthorizationGrant(config, device, { code_verifier: verifier });
  await approveDevice(device.verification_uri_complete ?? '');
  t.ok((await polling).refresh_token);
});

t.test('openid-client refuses every bad ID token', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { signIn } = await connect(provider);
  const kinds: readonly BadIdToken[] = [
    'wrong-issuer',
    'wrong-audience',
    'wrong-nonce',
    'alg-none',
    'expired',
    'not-yet-valid',
    'bad-signature',
  ];
  for (const kind of kinds) {
    provider.setBadIdToken(kind, 1);
    await t.rejects(signIn(), kind);
  }
  await t.resolves(signIn());
});
