import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { keyring, missing, sessionBus } from '../../tools/support/find-tool.ts';
import { startKeyring } from '../fixtures/keyring.ts';
import { startWorld, type World } from '../fixtures/world.ts';

const signedIn = async ({ home }: World): Promise<void> => {
  const { status, stderr } = await home.run(home.program('bedrock-auth'), ['login']);
  if (status !== 0) throw new Error(stderr);
};

/** What the AWS SDK would get, with no chance to sign in. */
const credentials = ({ home }: World) =>
  home.run(home.program('credential-process'), ['--profile', 'ClaudeCode'], { env: { CCWB_SIGN_IN: 'off' } });

t.test('a restarted daemon keeps the user signed in: session file', async (t) => {
  const world = await startWorld(t);
  await signedIn(world);
  await world.home.endDaemon();
  const { status, stderr } = await credentials(world);
  t.equal(status, 0, stderr);
  t.equal((await world.home.openedPages()).length, 1);
});

t.test(
  'a restarted daemon keeps the user signed in: keyring, and no file holds the token',
  { skip: missing({ 'gnome-keyring': keyring, 'dbus-run-session': sessionBus }) },
  async (t) => {
    const { env: bus } = await startKeyring(t);
    const world = await startWorld(t, {
      profile: { credential_storage: 'keyring' },
      installation: { env: bus },
    });
    await signedIn(world);
    const [profile] = (await world.home.status()).profiles;
    t.match(profile, { state: 'signed-in', storage: /keyring/, problem: null });
    t.strictSame(
      (await readdir(world.home.env.XDG_RUNTIME_DIR ?? '', { recursive: true })).filter((name) =>
        name.includes('sessions'),
      ),
      [],
    );
    await world.home.endDaemon();
    const { status, stderr } = await credentials(world);
    t.equal(status, 0, stderr);
    t.equal(world.sandbox.provider.counts.codeExchanges, 1);
    t.equal(world.sandbox.provider.counts.refreshGrants, 1);
  },
);

t.test('without a keyring the sign-in works and the status says that it will not last', async (t) => {
  const world = await startWorld(t, { profile: { credential_storage: 'keyring' } });
  await signedIn(world);
  t.equal((await credentials(world)).status, 0);
  const [profile] = (await world.home.status()).profiles;
  t.match(profile, { state: 'signed-in', problem: { code: /^ERR_STORE_/ } });
});

t.test('after kill -9 of the daemon the next call answers', async (t) => {
  const world = await startWorld(t);
  await signedIn(world);
  await world.home.endDaemon('SIGKILL');
  t.ok(
    (await readdir(join(world.home.socket, '..'))).includes('daemon.sock'),
    'the socket file is left behind',
  );
  const { status, stderr } = await credentials(world);
  t.equal(status, 0, stderr);
  t.equal((await world.home.openedPages()).length, 1);
});

t.test('after SIGTERM the daemon answers requests in flight, then stops', async (t) => {
  const world = await startWorld(t);
  const { home, sandbox } = world;
  await signedIn(world);
  await home.endDaemon();
  sandbox.provider.setFault('token', { kind: 'slow', ms: 500 });
  home.start(home.program('bedrock-authd'));
  await home.client.ask({ route: 'version', startingMs: 5_000 });
  const inFlight = home.client.ask({ route: 'credentials', params: { profile: 'ClaudeCode' } });
  while (sandbox.provider.counts.refreshGrants === 0) await pause();
  // Answered after the request above was taken in.
  await home.client.ask({ route: 'version' });
  await home.endDaemon('SIGTERM');
  t.match(await inFlight, { Version: 1, AccessKeyId: /^ASIA/ });
  t.notOk((await readdir(join(home.socket, '..'))).includes('daemon.sock'), 'the socket file is gone');
});

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
