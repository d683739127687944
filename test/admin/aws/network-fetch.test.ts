import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { createNetworkFetch } from '../../../admin/aws/network-fetch.ts';
import { CA, listen, proxy, tlsServer } from '../../fixtures/tls-proxy.ts';
import { type AdminCloud, startAdminCloud, useOwnClock } from '../fixtures/admin-cloud.ts';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const CCWB = fileURLToPath(new URL(`../../../admin/ccwb.${EXTENSION}`, import.meta.url));

type Environment = Record<string, string | undefined>;

const silent = (): void => {};

/** The real program, since only Node's start and the SDK's own chain show whether all of it goes this way. */
async function ccwb(t: Test, args: string, env: Environment) {
  const child = spawn(process.execPath, [CCWB, ...args.split(' ')], {
    env: { PATH: dirname(process.execPath), HOME: t.testdirName, AWS_EC2_METADATA_DISABLED: 'true', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, error };
}

/** AWS under a name that only the proxy can reach, and an authority of its own. */
async function awsBehindProxy(
  t: Test,
): Promise<{ cloud: AdminCloud; env: Environment; asked: { to: string }[] }> {
  const cloud = await startAdminCloud(t);
  useOwnClock(cloud);
  const front = await tlsServer(t, (asked, reply) => pass(asked, reply, cloud.aws.url));
  const { asked, url } = await proxy(t, front);
  const { credentials } = cloud.settings();
  const env = {
    CCWB_CONFIG: cloud.configPath,
    AWS_ENDPOINT_URL: 'https://aws.test',
    AWS_ACCESS_KEY_ID: credentials?.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey,
    AWS_SESSION_TOKEN: credentials?.sessionToken,
    HTTPS_PROXY: url,
    NODE_EXTRA_CA_CERTS: CA,
  };
  return { cloud, env, asked };
}

function pass(asked: IncomingMessage, reply: ServerResponse, to: string): void {
  const { method, url = '/', headers } = asked;
  const onward = request(new URL(url, to), { method, headers }, (answer) => {
    reply.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(reply);
  });
  asked.pipe(onward);
}

t.test('calls to AWS go through the proxy and trust the named authority', async (t) => {
  const { env, asked } = await awsBehindProxy(t);
  const { status, out, error } = await ccwb(t, 'status', env);
  t.equal(status, 0, error);
  t.match(out, /NOT_DEPLOYED/);
  t.strictSame([...new Set(asked.map(({ to }) => to))], ['aws.test:443']);
});

t.test('without the authority the connection to AWS is refused and the reason is reported', async (t) => {
  const { env, cloud } = await awsBehindProxy(t);
  const { status, error } = await ccwb(t, 'status', { ...env, NODE_EXTRA_CA_CERTS: undefined });
  t.equal(status, 1);
  t.match(error, /^ccwb: AWS did not answer asking who calls \(.*certificate.*\) \(ERR_AWS_UNREACHABLE\)/);
  t.strictSame(cloud.aws.calls, []);
});

t.test('a host that NO_PROXY names is connected to directly', async (t) => {
  const { env, asked } = await awsBehindProxy(t);
  // No such name: that it was looked up here is the point.
  const { status, error } = await ccwb(t, 'status', { ...env, NO_PROXY: '.test' });
  t.equal(status, 1);
  t.match(error, /\(getaddrinfo E\w+ aws\.test\)/);
  t.strictSame(asked, []);
});

t.test('the token of an SSO session is exchanged through the proxy too', async (t) => {
  const { env, asked } = await awsBehindProxy(t);
  const session = createHash('sha1').update('company').digest('hex');
  const token = { accessToken: 'token', expiresAt: '2126-01-02T03:04:05Z' };
  const home = t.testdirName;
  mkdirSync(join(home, '.aws/sso/cache'), { recursive: true });
  writeFileSync(join(home, `.aws/sso/cache/${session}.json`), JSON.stringify(token));
  writeFileSync(
    join(home, '.aws/config'),
    `[profile admin]
sso_session = company
sso_account_id = 123456789012
sso_role_name = Administrator
[sso-session company]
sso_start_url = https://company.awsapps.com/start
sso_region = us-east-1
`,
  );
  const { status, error } = await ccwb(t, 'status', {
    ...env,
    AWS_PROFILE: 'admin',
    AWS_ENDPOINT_URL: undefined,
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_SESSION_TOKEN: undefined,
  });
  // Whoever answers there is not believed to be AWS: the way is the point.
  t.equal(status, 1);
  t.match(error, /no AWS credentials to administer with: .*certificate's altnames/);
  t.strictSame([...new Set(asked.map(({ to }) => to))], ['portal.sso.us-east-1.amazonaws.com:443']);
});

t.test('other requests use the proxy too, and their own signal still aborts them', async (t) => {
  const target = await tlsServer(t, (_, reply) => void reply.end('hello'));
  const { asked, url } = await proxy(t, target);
  const fetch = createNetworkFetch({ https_proxy: url, NODE_EXTRA_CA_CERTS: CA });
  t.equal(await (await fetch('https://idp.test/')).text(), 'hello');
  t.match(asked, [{ to: 'idp.test:443' }]);
  const mute = await listen(t, createHttp(silent));
  const ending = new AbortController();
  const waiting = fetch(`http://127.0.0.1:${mute}/`, { signal: ending.signal });
  ending.abort();
  await t.rejects(waiting, { name: 'AbortError' });
});

t.test('unusable settings are reported before any connection', async (t) => {
  const port = await listen(t, createHttp(silent));
  const url = `http://127.0.0.1:${port}/`;
  await t.rejects(createNetworkFetch({ HTTPS_PROXY: 'ftp://proxy.corp' })(url), { code: 'ERR_USAGE' });
  await t.rejects(createNetworkFetch({ NODE_EXTRA_CA_CERTS: '/nowhere.pem' })(url), {
    code: 'ERR_CONFIG_INVALID',
  });
});
