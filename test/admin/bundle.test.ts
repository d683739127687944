import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { BUILD_VERSION } from '../../protocol/version.ts';
import { findTool, missing } from '../../tools/support/find-tool.ts';
import { type AdminCloud, STACK, startAdminCloud, useOwnClock } from './fixtures/admin-cloud.ts';

const BUNDLE = findTool(fileURLToPath(new URL('../../../ccwb', import.meta.url)));
const skip = missing({ 'build/ccwb (npm run build:ccwb)': BUNDLE });

type Ran = { status: number | null; out: string; error: string };

/** A copy of the bundle alone, in a folder above which there are no packages. */
function copied(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'ccwb-bundle-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (let above = folder; above !== dirname(above); above = dirname(above)) {
    t.notOk(existsSync(join(above, 'node_modules')), `no packages in ${above}`);
  }
  cpSync(BUNDLE ?? '', join(folder, 'ccwb'), { recursive: true, verbatimSymlinks: true });
  return folder;
}

async function run(folder: string, args: string, env: Record<string, string | undefined> = {}): Promise<Ran> {
  const child = spawn(join(folder, 'ccwb/ccwb'), args.split(' '), {
    cwd: folder,
    env: { PATH: dirname(process.execPath), HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, error };
}

function administrator({ settings, configPath }: AdminCloud): Record<string, string | undefined> {
  const { endpoint, credentials } = settings();
  return {
    CCWB_CONFIG: configPath,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials?.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey,
    AWS_SESSION_TOKEN: credentials?.sessionToken,
  };
}

t.test('the bundle deploys, shows and destroys with nothing but Node.js', { skip }, async (t) => {
  const cloud = await startAdminCloud(t);
  useOwnClock(cloud);
  const folder = copied(t);
  const env = administrator(cloud);
  t.match(await run(folder, '--help'), { status: 0, out: /^Usage: ccwb/, error: '' });
  t.match(await run(folder, '--version'), { status: 0, out: `${BUILD_VERSION}\n`, error: '' });

  const { out, error } = await run(folder, 'deploy auth --show-template', env);
  t.equal(error, '');
  t.match(JSON.parse(out), { Resources: { IdentityPool: { Type: 'AWS::Cognito::IdentityPool' } } });

  t.match(await run(folder, 'deploy --yes', env), { status: 0, out: new RegExp(`^${STACK}  created`) });
  t.equal(cloud.aws.stacks.find(STACK)?.status, 'CREATE_COMPLETE');
  t.match(await run(folder, 'status', env), { status: 0, out: new RegExp(`^${STACK}  CREATE_COMPLETE`) });
  t.match(await run(folder, 'destroy --yes', env), { status: 0, out: new RegExp(`${STACK}  deleted`) });
  t.equal(cloud.aws.stacks.find(STACK), undefined);
  t.strictSame(readdirSync(folder), ['ccwb'], 'and leaves nothing behind');
});

t.test('help loads no part of the bundle', { skip }, async (t) => {
  const folder = copied(t);
  const parts = readdirSync(join(folder, 'ccwb')).filter((name) => name.endsWith('.part.js'));
  t.ok(parts.length > 0);
  for (const part of parts) writeFileSync(join(folder, 'ccwb', part), 'throw new Error("loaded")');
  t.match(await run(folder, '--help'), { status: 0, error: '' });
  t.match(await run(folder, 'deploy --help'), { status: 0, error: '' });
});

t.test('the bundle contains the payload of packages', { skip }, async (t) => {
  const payload = join(BUNDLE ?? '', 'payload');
  for (const program of ['credential-process', 'otel-helper', 'bedrock-auth', 'bedrock-authd']) {
    t.ok(existsSync(join(payload, 'app', program)), program);
  }
  t.notOk(existsSync(join(payload, 'app/daemon/node_modules')), 'no libraries of one platform among them');
  const { bundled, fetched } = JSON.parse(readFileSync(join(payload, 'components.json'), 'utf8'));
  t.ok(bundled.some(({ name }: { name: string }) => name === 'fastify'));
  for (const platform of ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64']) {
    const native = join(payload, 'native', platform);
    t.ok(existsSync(join(native, 'keytar/prebuilds', platform)), `keytar for ${platform}`);
    t.ok(existsSync(join(native, 'koffi/index.js')), `koffi for ${platform}`);
    t.match(fetched[platform], { name: `@koromix/koffi-${platform}`, version: /^\d/, integrity: /^sha512-/ });
  }
});
