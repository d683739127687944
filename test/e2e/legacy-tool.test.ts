import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startWorld, type World } from '../fixtures/world.ts';

const OFF = { env: { CCWB_SIGN_IN: 'off' } };

async function call({ home }: World, options = {}): Promise<string> {
  const { status, stdout, stderr } = await home.run(
    home.program('credential-process'),
    ['--profile', 'ClaudeCode'],
    options,
  );
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** Makes the installation what the legacy tool would have left: its tokens in its files, and none of ours. */
async function asLegacyTool({ home }: World): Promise<void> {
  const { stdout } = await home.run(home.program('credential-process'), ['--get-monitoring-token']);
  await home.endDaemon();
  const sessions = join(home.home, 'run/claude-code-with-bedrock/sessions');
  const [stored = ''] = (await readdir(sessions)).filter((name) => name.endsWith('.json'));
  const { refreshToken } = JSON.parse(await readFile(join(sessions, stored), 'utf8')) as {
    refreshToken: string;
  };
  await rm(sessions, { recursive: true });
  const folder = join(home.home, '.claude-code-session');
  await mkdir(folder, { mode: 0o700 });
  const write = (name: string, value: unknown): Promise<void> =>
    writeFile(join(folder, name), JSON.stringify(value), { mode: 0o600 });
  await write('ClaudeCode-refresh.json', { refresh_token: refreshToken, profile: 'ClaudeCode' });
  await write('ClaudeCode-monitoring.json', { token: stdout.trim(), profile: 'ClaudeCode' });
}

t.test('a user of the legacy tool stays signed in, and its files are removed', async (t) => {
  const world = await startWorld(t);
  const { home, sandbox } = world;
  await call(world);
  await asLegacyTool(world);

  t.match(JSON.parse(await call(world, OFF)), { Version: 1, AccessKeyId: /^ASIA/ });
  t.equal(sandbox.provider.counts.refreshGrants, 1, 'with its refresh token');
  t.equal((await home.openedPages()).length, 1, 'no second page');
  t.notOk((await readdir(home.home)).includes('.claude-code-session'), 'no plain-text token is left');
  t.match((await home.status()).profiles, [{ state: 'signed-in', user: 'demo@example.com' }]);

  await home.endDaemon();
  await call(world, OFF);
  t.match((await home.status()).profiles, [{ state: 'signed-in', user: 'demo@example.com' }], 'also later');
  t.equal((await home.openedPages()).length, 1);
});

t.test('a refused token of the legacy tool costs only one sign-in', async (t) => {
  const world = await startWorld(t);
  const { home } = world;
  const folder = join(home.home, '.claude-code-session');
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, 'ClaudeCode-refresh.json'), '{"refresh_token":"long-dead"}', { mode: 0o600 });
  await call(world);
  t.equal((await home.openedPages()).length, 1);
  t.notOk((await readdir(home.home)).includes('.claude-code-session'));
});
