import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { DaemonEdges } from '../../../daemon/edges.ts';
import { createProfiles, type Profiles } from '../../../daemon/profiles/profiles.ts';
import { createLoopbackRedirect } from '../../../daemon/sign-in/loopback-redirect.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { approveDevice, signInOverHttp, visitCallback } from '../../../sandbox/browser/browserless.ts';
import {
  type SandboxProvider,
  type SandboxProviderOptions,
  startIdentityProvider,
} from '../../../sandbox/provider/identity-provider.ts';
import {
  codeOf,
  gate,
  memoryAudit,
  memoryLog,
  noLegacyTokens,
  noLocks,
  noProxy,
  realClock,
  rejection,
} from '../../../tools/support/daemon-edges.ts';
import { freePort } from '../../../tools/support/free-port.ts';
import { type AwsServer, awsServer, json } from '../fixtures/aws.ts';
import { type MemoryStore, memoryStore } from '../fixtures/memory-store.ts';
import { profileFields } from '../fixtures/profile-config.ts';

type T = { teardown(action: () => unknown): void; testdir(content: Record<string, string>): string };

/** AWS that gives a new key for each exchange. */
function answering(t: T): Promise<AwsServer> {
  let serial = 0;
  return awsServer(t, ({ operation }) => {
    if (operation === 'GetId') return json({ IdentityId: 'us-east-1:identity' });
    serial += 1;
    return json({
      Credentials: {
        AccessKeyId: `ASIA${serial}`,
        SecretKey: 's',
        SessionToken: 't',
        Expiration: Math.floor(Date.now() / 1000) + 3600,
      },
    });
  });
}

async function open(
  t: T,
  fields: (issuer: string, aws: string, port: number) => Record<string, unknown>,
  options: SandboxProviderOptions = {},
) {
  const port = await freePort();
  const provider: SandboxProvider = await startIdentityProvider({ redirectPorts: 'any', ...options });
  t.teardown(() => provider.close());
  const aws = await answering(t);
  const path = join(t.testdir({}), 'config.json');
  const write = (profiles: Record<string, unknown>): void => {
    writeFileSync(`${path}.new`, JSON.stringify({ profiles }));
    renameSync(`${path}.new`, path);
  };
  write(fields(provider.issuer, aws.endpoint, port));
  const { log, lines } = memoryLog();
  const store: MemoryStore = memoryStore();
  const edges: DaemonEdges = {
    clock: realClock,
    fetch,
    log,
    audit: memoryAudit(),
    random: () => 0.5,
    network: noProxy,
    legacyTokens: noLegacyTokens,
    createLocks: () => noLocks,
    createStore: () => store,
  };
  const profiles = createProfiles(path, createLoopbackRedirect(), edges);
  t.teardown(async () => {
    profiles.cancelSignIns(new CcwbError('ERR_LOGIN_CANCELLED', 'the test ends', ''));
    await profiles.settled();
  });
  return { path, write, provider, aws, profiles, lines, store, port };
}

async function signIn(profiles: Profiles, name: string): Promise<string> {
  const started = await profiles.get(name).signIns.start(name, { automatic: false, canOpenPage: true });
  if (started.state !== 'pending') return started.state;
  const { status, body } = await signInOverHttp(started.url);
  await profiles.settled();
  return `${status} ${/<h1>([^<]*)/.exec(body)?.[1]}`;
}

t.test('a sign-in in a browser makes a profile work', async (t) => {
  const { profiles, provider, store } = await open(t, (issuer, aws, redirect_port) => ({
    A: profileFields(issuer, aws, { redirect_port }),
  }));
  const { session, credentials } = profiles.get('A');
  t.equal(await codeOf(credentials.get()), 'ERR_LOGIN_REQUIRED');
  t.equal(await signIn(profiles, 'A'), '200 You are signed in');
  t.equal(session.view().signedIn, true);
  t.match(await credentials.get(), { accessKeyId: /^ASIA/ });
  t.equal(store.items.size, 1);
  t.equal(await signIn(profiles, 'A'), 'signed-in', 'a second sign-in has nothing to do');
  t.same(await profiles.signOut(profiles.get('A')), { wasSignedIn: true, revoked: true });
  t.equal(store.items.size, 0);
  t.equal(credentials.peek(), undefined);
  t.equal(provider.counts.revocations, 1);
});

t.test('two users sign in at the same time through one redirect port', async (t) => {
  const { profiles, port } = await open(
    t,
    (issuer, aws, redirect_port) => ({
      A: profileFields(issuer, aws, { redirect_port }),
      B: profileFields(issuer, aws, { redirect_port, client_id: 'another' }),
    }),
    { clientIds: ['sandbox-client', 'another'] },
  );
  const pages = await Promise.all(
    ['A', 'B'].map(async (name) => {
      const { signIns } = profiles.get(name);
      const started = await signIns.start(name, { automatic: false, canOpenPage: true });
      if (started.state !== 'pending') throw new Error('not pending');
      t.match(new URL(started.url).searchParams.get('redirect_uri'), `localhost:${port}`);
      return started.url;
    }),
  );
  t.match((await signInOverHttp(pages[1] ?? '')).body, /You are signed in.*The AWS profile B /s);
  t.equal(profiles.get('A').session.view().signedIn, false, 'the other still waits');
  t.match((await signInOverHttp(pages[0] ?? '')).body, /You are signed in.*The AWS profile A /s);
  t.equal(profiles.get('A').session.view().signedIn, true);
});

t.test('a sign-in by code makes a profile work, and its siblings', async (t) => {
  const { profiles, provider, store, port } = await open(t, (issuer, aws, redirect_port) => ({
    A: profileFields(issuer, aws, { redirect_port }),
    B: profileFields(issuer, aws, { redirect_port, aws_region: 'eu-west-1' }),
  }));
  const { signIns, session } = profiles.get('A');
  const request = { automatic: false, canOpenPage: false, device: true };
  const started = await signIns.start('A', request);
  if (started.state !== 'pending' || !started.device) throw new Error('no code');
  const signal = new AbortController().signal;
  const waiter = signIns.wait(started.signIn, { waitMs: 60_000, canOpenPage: false, signal });
  t.equal(
    await codeOf(visitCallback(`http://127.0.0.1:${port}/callback`)),
    'ECONNREFUSED',
    'no port is open',
  );
  await approveDevice(started.device.verificationUriComplete ?? '');
  t.match(await waiter, { state: 'signed-in', user: /^demo@/ });
  t.match(session.view(), { signedIn: true, user: /^demo@/ });
  for (const name of ['A', 'B'])
    t.match(await profiles.get(name).credentials.get(), { accessKeyId: /^ASIA/ });
  t.match([...store.items.values()][0], /refreshToken/);
  t.equal(provider.counts.authorizationRequests, 0, 'without a page of ours');
  t.same(await signIns.start('A', request), { state: 'signed-in', user: session.view().user });
  t.same(await profiles.signOut(profiles.get('A')), { wasSignedIn: true, revoked: true });
});

t.test('the last page reports a refusal by AWS', async (t) => {
  const { profiles, aws } = await open(t, (issuer, endpoint, redirect_port) => ({
    A: profileFields(issuer, endpoint, { redirect_port }),
  }));
  aws.answer = () => json({ __type: 'ResourceNotFoundException' }, 400);
  t.equal(await signIn(profiles, 'A'), '200 Signed in, but AWS said no');
  t.equal(profiles.get('A').session.view().signedIn, true, 'the sign-in holds');
});

t.test('profiles of one issuer and client share one session and one sign-in', async (t) => {
  const { profiles } = await open(t, (issuer, aws, redirect_port) => ({
    A: profileFields(issuer, aws, { redirect_port }),
    B: profileFields(issuer, aws, { redirect_port, aws_region: 'eu-west-1' }),
    C: profileFields(issuer, aws, { redirect_port, client_id: 'another' }),
  }));
  const [a, b, c] = ['A', 'B', 'C'].map((name) => profiles.get(name));
  t.equal(a?.session, b?.session);
  t.equal(a?.signIns, b?.signIns);
  t.not(a?.credentials, b?.credentials, 'with AWS credentials of their own');
  t.not(a?.session, c?.session);
  await signIn(profiles, 'A');
  t.match(await profiles.get('B').credentials.get(), { accessKeyId: /^ASIA/ });
  await profiles.signOut(profiles.get('B'));
  t.equal(profiles.get('A').credentials.peek(), undefined, 'signing out of one is signing out of both');
  t.equal(await codeOf(profiles.get('A').credentials.get()), 'ERR_LOGIN_REQUIRED');
});

t.test('one refresh token has one spender, whatever else differs', async (t) => {
  const { profiles } = await open(t, (issuer, aws, redirect_port) => ({
    A: profileFields(issuer, aws, { redirect_port }),
    B: profileFields(issuer, aws, { redirect_port: redirect_port + 1 }),
    C: profileFields(issuer, aws, { redirect_port, scopes: 'openid email offline_access' }),
  }));
  const [a, b, c] = ['A', 'B', 'C'].map((name) => profiles.get(name).session);
  t.ok(a === b || a?.key !== b?.key, 'another port');
  t.ok(a === c || a?.key !== c?.key, 'other scopes');
});

t.test('a changed file is read again, and unchanged profiles keep their credentials', async (t) => {
  const { profiles, write, provider, aws, port } = await open(t, (issuer, endpoint, redirect_port) => ({
    A: profileFields(issuer, endpoint, { redirect_port }),
    B: profileFields(issuer, endpoint, { redirect_port }),
  }));
  await signIn(profiles, 'A');
  const before = profiles.get('A');
  const otherBefore = profiles.get('B');
  const credentials = await before.credentials.get();
  const fields = (change = {}) =>
    profileFields(provider.issuer, aws.endpoint, { redirect_port: port, ...change });
  write({ A: fields(), B: fields({ aws_region: 'eu-west-1' }), C: fields() });
  profiles.reloadIfChanged();
  t.equal(profiles.get('A'), before, 'the same object');
  t.equal(await profiles.get('A').credentials.get(), credentials);
  t.not(profiles.get('B'), otherBefore);
  t.equal(profiles.get('B').session, before.session, 'a changed region is no new sign-in');
  t.ok(profiles.get('C'));
  write({ A: fields() });
  profiles.reloadIfChanged();
  t.same(
    profiles.all().map(({ config }) => config.name),
    ['A'],
  );
  t.equal(await codeOf(Promise.resolve().then(() => profiles.get('B'))), 'ERR_PROFILE_UNKNOWN');
});

t.test('the settings of a session can change without a new sign-in', async (t) => {
  const { profiles, write, provider, aws, port } = await open(t, (issuer, endpoint, redirect_port) => ({
    A: profileFields(issuer, endpoint, { redirect_port }),
  }));
  await signIn(profiles, 'A');
  const former = profiles.get('A').session;
  const scopes = 'openid email offline_access';
  write({ A: profileFields(provider.issuer, aws.endpoint, { redirect_port: port, scopes }) });
  profiles.reloadIfChanged();
  t.not(profiles.get('A').session, former);
  t.match(
    await profiles.get('A').credentials.get(),
    { accessKeyId: /^ASIA/ },
    'it goes on with what is stored',
  );
});

t.test('a sign-in whose settings change is ended with the reason', async (t) => {
  const { profiles, write, provider, aws, port } = await open(t, (issuer, endpoint, redirect_port) => ({
    A: profileFields(issuer, endpoint, { redirect_port }),
  }));
  const { signIns } = profiles.get('A');
  const started = await signIns.start('A', { automatic: false, canOpenPage: true });
  if (started.state !== 'pending') throw new Error('not pending');
  const signal = new AbortController().signal;
  const waiter = codeOf(signIns.wait(started.signIn, { waitMs: 60_000, canOpenPage: false, signal }));
  const scopes = 'openid email offline_access';
  write({ A: profileFields(provider.issuer, aws.endpoint, { redirect_port: port, scopes }) });
  profiles.reloadIfChanged();
  t.equal(await waiter, 'ERR_LOGIN_CANCELLED');
});

t.test('a sign-in that is being finished while its settings change is not lost', async (t) => {
  const { profiles, write, provider, aws, port } = await open(t, (issuer, endpoint, redirect_port) => ({
    A: profileFields(issuer, endpoint, { redirect_port }),
  }));
  const arrived = gate();
  const answer = gate();
  provider.onTokenRequest(async () => {
    arrived.open();
    await answer.promise;
  });
  const started = await profiles.get('A').signIns.start('A', { automatic: false, canOpenPage: true });
  if (started.state !== 'pending') throw new Error('not pending');
  const { callbackUrl = '' } = await signInOverHttp(started.url, {}, { callback: false });
  const page = visitCallback(callbackUrl).then(
    ({ status }) => status,
    (error: Error) => error.name,
  );
  await arrived.promise;
  const scopes = 'openid email offline_access';
  write({ A: profileFields(provider.issuer, aws.endpoint, { redirect_port: port, scopes }) });
  profiles.reloadIfChanged();
  void profiles.get('A').session.restore();
  answer.open();
  t.equal(await page, 200, 'the page comes');
  t.equal(profiles.get('A').session.view().signedIn, true, 'the new session finds what was stored');
});

t.test('an unchanged file is not read again', async (t) => {
  const { profiles, lines } = await open(t, (issuer, aws) => ({
    A: profileFields(issuer, aws, { colour: 'red' }),
  }));
  const seen = lines.length;
  t.match(lines, [
    { level: 'warn', event: 'config has unknown fields', fields: { fields: ['profiles.A.colour'] } },
  ]);
  for (let look = 0; look < 5; look += 1) profiles.reloadIfChanged();
  t.equal(lines.length, seen);
});

t.test('a damaged or missing file does not affect working profiles', async (t) => {
  const { profiles, path, write, provider, aws, lines } = await open(t, (issuer, endpoint) => ({
    A: profileFields(issuer, endpoint),
  }));
  const before = profiles.get('A');
  writeFileSync(path, '{"profiles":');
  profiles.reloadIfChanged();
  t.equal(profiles.get('A'), before);
  t.equal(profiles.invalid().file?.code, 'ERR_CONFIG_INVALID');
  t.equal(
    await codeOf(Promise.resolve().then(() => profiles.get('B'))),
    'ERR_CONFIG_INVALID',
    'an unknown one tells why',
  );
  rmSync(path);
  profiles.reloadIfChanged();
  t.equal(profiles.get('A'), before);
  t.equal(profiles.invalid().file?.code, 'ERR_CONFIG_MISSING');
  t.match(lines.at(-1), {
    level: 'error',
    event: 'config not usable',
    fields: { code: 'ERR_CONFIG_MISSING' },
  });
  write({ A: profileFields(provider.issuer, aws.endpoint) });
  profiles.reloadIfChanged();
  t.equal(profiles.invalid().file, undefined);
  t.equal(profiles.get('A'), before, 'it was the same all along');
});

t.test('a file that cannot be accessed is an unusable file', async (t) => {
  const { profiles, path } = await open(t, (issuer, endpoint) => ({ A: profileFields(issuer, endpoint) }));
  rmSync(path);
  symlinkSync(path, path);
  const error = await rejection(Promise.resolve().then(() => profiles.reloadIfChanged()));
  t.equal(error, undefined, 'a circle of links');
  t.ok(profiles.get('A'));
});

t.test('an unusable profile is reported, and the other one works', async (t) => {
  const { profiles, write, provider, aws } = await open(t, (issuer, endpoint) => ({
    Good: profileFields(issuer, endpoint),
    Bad: profileFields(issuer, endpoint, { redirect_port: 0 }),
  }));
  t.ok(profiles.get('Good'));
  t.equal(await codeOf(Promise.resolve().then(() => profiles.get('Bad'))), 'ERR_CONFIG_INVALID');
  t.same([...profiles.invalid().profiles.keys()], ['Bad']);
  write({
    Good: profileFields(provider.issuer, aws.endpoint),
    Bad: profileFields(provider.issuer, aws.endpoint),
  });
  t.ok(profiles.get('Bad'), 'asking for it looks at the file again');
});

t.test('a daemon may start before its configuration exists', async (t) => {
  const path = join(t.testdir({}), 'config.json');
  const { log } = memoryLog();
  const edges: DaemonEdges = {
    clock: realClock,
    fetch,
    log,
    audit: memoryAudit(),
    random: () => 0.5,
    network: noProxy,
    legacyTokens: noLegacyTokens,
    createLocks: () => noLocks,
    createStore: () => memoryStore(),
  };
  const profiles = createProfiles(path, createLoopbackRedirect(), edges);
  t.same(profiles.all(), []);
  t.equal(await codeOf(Promise.resolve().then(() => profiles.get('A'))), 'ERR_CONFIG_MISSING');
  writeFileSync(path, JSON.stringify({ A: profileFields('https://idp.example', 'https://aws.example') }));
  t.ok(profiles.get('A'), 'and finds it when it comes');
});

t.test('signing out during a sign-in ends the wait with the reason', async (t) => {
  const { profiles } = await open(t, (issuer, aws, redirect_port) => ({
    A: profileFields(issuer, aws, { redirect_port }),
  }));
  const profile = profiles.get('A');
  for (const device of [false, true]) {
    const started = await profile.signIns.start('A', { automatic: false, canOpenPage: true, device });
    if (started.state !== 'pending') throw new Error('not pending');
    t.equal(started.device !== undefined, device);
    const options = { waitMs: 60_000, canOpenPage: false, signal: new AbortController().signal };
    const waiter = codeOf(profile.signIns.wait(started.signIn, options));
    t.same(await profiles.signOut(profile), { wasSignedIn: false, revoked: false });
    t.equal(await waiter, 'ERR_LOGIN_CANCELLED');
  }
});

t.test('signing out while a sign-in by code receives tokens revokes them', async (t) => {
  const { profiles, provider, store } = await open(t, (issuer, aws, redirect_port) => ({
    A: profileFields(issuer, aws, { redirect_port }),
  }));
  const profile = profiles.get('A');
  const arrived = gate();
  const answer = gate();
  provider.onTokenRequest(async () => {
    arrived.open();
    await answer.promise;
  });
  const started = await profile.signIns.start('A', { automatic: false, canOpenPage: false, device: true });
  if (started.state !== 'pending') throw new Error('not pending');
  await approveDevice(started.device?.verificationUriComplete ?? '');
  // The poll's timer alone keeps no process alive.
  const alive = setInterval(() => {}, 1_000);
  await arrived.promise;
  const signedOut = profiles.signOut(profile);
  answer.open();
  t.same(await signedOut, { wasSignedIn: true, revoked: true });
  clearInterval(alive);
  t.equal(store.items.size, 0);
});
