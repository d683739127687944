import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import t, { type Test } from 'tap';
import type { SignInReply, SignInRequest } from '../../protocol/api.ts';
import { type AwsEndpoints, startAwsEndpoints } from '../../sandbox/aws/aws-endpoints.ts';
import { findChromium } from '../../sandbox/browser/chromium.ts';
import { missing } from '../../tools/support/find-tool.ts';
import { freePort } from '../../tools/support/free-port.ts';
import { type Installation, install } from '../../tools/support/installation.ts';
import type { Output } from '../../tools/support/output.ts';
import { type Glewlwyd, glewlwyd, startGlewlwyd } from '../fixtures/glewlwyd.ts';
import { signInWithGlewlwydPages } from '../fixtures/glewlwyd-pages.ts';

const skip = missing({ glewlwyd });

type World = { provider: Glewlwyd; aws: AwsEndpoints; home: Installation };

/** glewlwyd, an AWS account that trusts it, and one user's installation. */
async function startWorld(
  t: Test,
  { clientId, clientSecret }: { clientId?: string; clientSecret?: string } = {},
): Promise<World> {
  const redirectPort = await freePort();
  const provider = await startGlewlwyd(t, { redirectPort, ...(clientSecret ? { clientSecret } : {}) });
  const { issuer, jwks } = provider;
  const aws = await startAwsEndpoints({ issuers: [{ issuer, jwks }], clientId: provider.clientId });
  t.teardown(() => aws.close());
  const shared = {
    issuer,
    client_id: clientId ?? provider.clientId,
    ...(clientSecret ? { client_secret: clientSecret } : {}),
    credential_storage: 'session',
    redirect_port: redirectPort,
    cognito_identity_endpoint: aws.url,
    sts_endpoint: aws.url,
  };
  const home = await install({
    browser: 'notes',
    profiles: {
      ClaudeCode: { ...shared, identity_pool_id: aws.identityPoolId },
      Direct: { ...shared, federated_role_arn: aws.roleArn },
    },
  });
  t.teardown(() => home.remove());
  return { provider, aws, home };
}

async function signedInWorld(t: Test, options: { clientSecret?: string } = {}): Promise<World> {
  const world = await startWorld(t, options);
  const login = world.home.run(world.home.program('bedrock-auth'), ['login']);
  const page = await world.provider.signIn(await openedPage(world));
  if (page.status !== 200) throw new Error(page.text);
  const { status, stderr } = await login;
  if (status !== 0) throw new Error(stderr);
  return world;
}

/** What an AWS SDK gets, with no chance to sign in. */
const credentials = ({ home }: World, profile = 'ClaudeCode'): Promise<Output> =>
  home.run(home.program('credential-process'), ['--profile', profile], { env: { CCWB_SIGN_IN: 'off' } });

const forms = ({ provider }: World): (string | null)[] =>
  provider.front.calls.map(({ form }) => form.get('grant_type') ?? form.get('token_type_hint'));

t.test(
  'a person signs in through the pages of glewlwyd, and AWS takes its ID token',
  { skip: missing({ glewlwyd, Chromium: findChromium() }) },
  async (t) => {
    const world = await startWorld(t);
    const { provider, aws, home } = world;
    const discovery = await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json();
    t.match(discovery, { issuer: provider.issuer, token_endpoint: /:\d+\/\/api\/oidc\/token$/ });

    const call = home.run(home.program('credential-process'), ['--profile', 'ClaudeCode']);
    const page = await signInWithGlewlwydPages(await openedPage(world), provider.person);
    t.equal(page.title, 'You are signed in · Claude Code with Bedrock');
    t.match(page.text, /Signed in as ada@example\.com/);
    const { status, stdout, stderr } = await call;
    t.equal(status, 0, stderr);
    t.match(JSON.parse(stdout), { Version: 1, AccessKeyId: /^ASIA/ });
    t.equal(aws.count('GetCredentialsForIdentity'), 1);
    t.strictSame(forms(world), ['authorization_code']);

    const token = await home.run(home.program('credential-process'), ['--get-monitoring-token']);
    const { payload } = await jwtVerify(token.stdout.trim(), createLocalJWKSet(await provider.jwks()), {
      issuer: provider.issuer,
      audience: provider.clientId,
    });
    t.match(payload, { email: provider.person.email, name: provider.person.name });

    t.equal((await credentials(world, 'Direct')).status, 0, 'a role takes it too');
    t.equal(aws.count('AssumeRoleWithWebIdentity'), 1);
    t.equal((await home.openedPages()).length, 1, 'with the same sign-in');
  },
);

t.test(
  'after a restart the rotated refresh token is stored, and without an ID token in the reply the user signs in',
  { skip },
  async (t) => {
    const world = await signedInWorld(t);
    const { provider, home } = world;
    const { refresh_token: first } = repliesOf(world)[0] ?? {};
    t.equal(await storedToken(world), first);
    await home.endDaemon();
    isLoginRequired(t, await credentials(world));
    const [, refreshed] = repliesOf(world);
    t.type(refreshed?.refresh_token, 'string');
    t.not(refreshed?.refresh_token, first, 'rotated');
    t.notOk(refreshed && 'id_token' in refreshed, 'no ID token');
    t.equal(await storedToken(world), refreshed?.refresh_token);
    t.strictSame(await provider.refreshTokens(), [false, true]);
    isLoginRequired(t, await credentials(world));
    t.strictSame(forms(world), ['authorization_code', 'refresh_token'], 'not spent again for nothing');

    const login = home.run(home.program('bedrock-auth'), ['login']);
    t.equal((await provider.signIn(await openedPage(world, 2))).status, 200);
    t.equal((await login).status, 0);
    t.equal((await credentials(world)).status, 0);
  },
);

t.test('signing out revokes the refresh token of a client with a secret', { skip }, async (t) => {
  const world = await signedInWorld(t, { clientSecret: 'not-so-secret' });
  const logout = await world.home.run(world.home.program('bedrock-auth'), ['logout']);
  t.match(logout.stdout, /ended at the identity provider too/);
  t.match(world.provider.front.calls.at(-1), { endpoint: 'revoke', status: 200, body: '' });
  t.strictSame(await world.provider.refreshTokens(), [false]);
  isLoginRequired(t, await credentials(world));
});

t.test('sign-out reports that glewlwyd accepts no revocation from a public client', { skip }, async (t) => {
  const world = await signedInWorld(t);
  const logout = await world.home.run(world.home.program('bedrock-auth'), ['logout']);
  t.equal(logout.status, 0, logout.stderr);
  t.match(logout.stdout, /was not told/);
  t.match(world.provider.front.calls.at(-1), { endpoint: 'revoke', status: 401, body: '' });
  t.equal(await storedToken(world), undefined);
  isLoginRequired(t, await credentials(world));
});

t.test(
  'a session that the provider ended is refused without a reason, and nothing hangs',
  { skip },
  async (t) => {
    const world = await signedInWorld(t);
    await world.home.endDaemon();
    await world.provider.endSessions();
    await isRefusedWithoutWords(t, world);
    const { state, url } = await startSignIn(world);
    t.equal(state, 'pending', 'a person who asks for it can sign in anew at once');
    if (url === undefined) return;
    t.equal((await world.provider.signIn(url)).status, 200);
    t.equal((await credentials(world)).status, 0);
  },
);

t.test(
  'the reuse of a refresh token ends the chain at the provider, and nothing hangs',
  { skip },
  async (t) => {
    const world = await signedInWorld(t);
    const { home, provider } = world;
    const file = await sessionFile(world);
    const old = await readFile(file, 'utf8');
    await home.endDaemon();
    isLoginRequired(t, await credentials(world));
    await home.endDaemon();
    await writeFile(file, old);
    await isRefusedWithoutWords(t, world);
    t.strictSame(await provider.refreshTokens(), [false, false], 'the new one is dead too');
  },
);

t.test(
  'after a lost reply to a refresh nothing hangs, and a person can sign in again',
  { skip },
  async (t) => {
    const world = await signedInWorld(t);
    const { home, provider } = world;
    await home.endDaemon();
    provider.front.faults.set('token', { kind: 'loseReply' }, 1);
    const { status, stderr } = await credentials(world);
    t.equal(status, 1);
    t.match(stderr, /gave no reason \(ERR_PROVIDER_UNREACHABLE\)\n {2}fix: .*bedrock-auth login/);
    t.same(
      provider.front.calls.slice(-2).map((call) => call.status),
      [200, 400],
      'the provider has rotated, and takes the same token no second time',
    );
    await isRefusedWithoutWords(t, world);
    t.equal((await home.run(home.program('bedrock-auth'), ['logout'])).status, 0);
    const { url = '' } = await startSignIn(world);
    t.equal((await provider.signIn(url)).status, 200);
    t.equal((await credentials(world)).status, 0);
  },
);

/** glewlwyd says 400 and nothing else. That tells nothing about the session, so the token is kept. */
async function isRefusedWithoutWords(t: Test, world: World): Promise<void> {
  const stored = await storedToken(world);
  t.type(stored, 'string');
  let output = await credentials(world);
  // Within a second of a failure the daemon repeats it without asking the provider.
  while (world.provider.front.calls.at(-1)?.status !== 400) output = await credentials(world);
  t.equal(output.status, 1);
  t.match(output.stderr, /\(ERR_PROVIDER_\w+\)\n {2}fix: /);
  t.match(world.provider.front.calls.at(-1), { endpoint: 'token', status: 400, body: '' });
  t.equal(await storedToken(world), stored, 'kept');
}

async function startSignIn({ home }: World): Promise<{ state: string; url?: string }> {
  const body: SignInRequest = { automatic: false, canOpenPage: false };
  return home.client.ask<SignInReply>({ route: 'signIn', params: { profile: 'ClaudeCode' }, body });
}

function isLoginRequired(t: Test, { status, stdout, stderr }: Output): void {
  t.equal(status, 1);
  t.equal(stdout, '');
  t.match(stderr, /bedrock-auth login/);
}

type TokenReply = { refresh_token?: string; id_token?: string };

function repliesOf({ provider }: World): TokenReply[] {
  return provider.front.calls.map(({ body }) => JSON.parse(body) as TokenReply);
}

async function sessionFile({ home }: World): Promise<string> {
  const directory = join(home.env.XDG_RUNTIME_DIR ?? '', 'claude-code-with-bedrock/sessions');
  const [name] = (await readdir(directory)).filter((file) => file.endsWith('.json'));
  return join(directory, name ?? 'none');
}

async function storedToken(world: World): Promise<unknown> {
  const text = await readFile(await sessionFile(world), 'utf8').catch(() => '{}');
  return (JSON.parse(text) as { refreshToken?: unknown }).refreshToken;
}

/** The address of the page that was opened last, once there are so many. */
async function openedPage({ home }: World, count = 1): Promise<string> {
  for (;;) {
    const url = (await home.openedPages())[count - 1];
    if (url) return url;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
