import t, { type Test } from 'tap';
import type { VersionReply } from '../../protocol/api.ts';
import type { Output } from '../../tools/support/output.ts';
import { startWorld, type World } from '../fixtures/world.ts';

const HOSTILE = 'R&D"}\r\nx-evil: 1\u0000 \u202e研究 {"a":1}';

function helper({ home }: World): Promise<Output> {
  return home.run(home.program('otel-helper'), [], { env: { AWS_PROFILE: 'ClaudeCode' } });
}

async function signIn({ home }: World): Promise<void> {
  const { status, stderr } = await home.run(home.program('credential-process'), ['--profile', 'ClaudeCode']);
  if (status !== 0) throw new Error(stderr);
}

/** What it printed: one JSON object of texts on one line, with status 0 and nothing else. */
function headersIn(t: Test, { status, stdout, stderr }: Output): Record<string, string> {
  t.equal(status, 0);
  t.equal(stderr, '');
  t.equal(stdout.indexOf('\n'), stdout.length - 1, 'one line');
  const headers = JSON.parse(stdout) as Record<string, unknown>;
  t.ok(Object.values(headers).every((value) => typeof value === 'string'));
  return headers as Record<string, string>;
}

async function daemonPid({ home }: World): Promise<number> {
  return (await home.client.ask<VersionReply>({ route: 'version' })).pid;
}

t.test('the helper answers and opens no page while the daemon is up, stopped, hung or killed', async (t) => {
  const world = await startWorld(t);
  t.strictSame(headersIn(t, await helper(world)), {}, 'no daemon');
  t.equal((await world.home.openedPages()).length, 0, 'and none is started');
  await t.rejects(world.home.status(), { code: 'ERR_DAEMON_UNREACHABLE' });

  await signIn(world);
  const headers = headersIn(t, await helper(world));
  t.match(headers, {
    'x-user-email': 'demo@example.com',
    'x-department': 'Research',
    'x-team-id': 'team-42',
    'x-organization': 'Example Corp',
  });
  t.notOk('authorization' in headers);

  const pid = await daemonPid(world);
  process.kill(pid, 'SIGSTOP');
  try {
    t.strictSame(headersIn(t, await helper(world)), {}, 'a daemon that hangs');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  t.match(headersIn(t, await helper(world)), { 'x-department': 'Research' }, 'as before');

  await world.home.run(world.home.program('bedrock-auth'), ['logout']);
  t.strictSame(headersIn(t, await helper(world)), {}, 'nobody signed in');
  await world.home.endDaemon('SIGKILL');
  t.strictSame(headersIn(t, await helper(world)), {}, 'a socket that nobody serves');
  t.equal((await world.home.openedPages()).length, 1, 'the page of the sign-in alone');
});

t.test('the helper does not wait for a refresh', async (t) => {
  const world = await startWorld(t, { sandbox: { provider: { idTokenSeconds: 20 } } });
  await signIn(world);
  await world.home.endDaemon();
  // A new daemon has a refresh token alone, and a provider that takes its time.
  world.sandbox.provider.setFault('token', { kind: 'slow', ms: 3_000 });
  const call = world.home.run(world.home.program('credential-process'), ['--profile', 'ClaudeCode'], {
    env: { CCWB_SIGN_IN: 'off' },
  });
  let asked = 0;
  let headers: Record<string, string> = {};
  while (Object.keys(headers).length === 0) {
    headers = headersIn(t, await helper(world));
    asked += 1;
  }
  t.ok(asked > 1, `{} until the refresh came, ${asked} calls`);
  t.match(headers, { 'x-department': 'Research' }, 'its headers after it');
  t.equal((await call).status, 0);
  t.equal((await world.home.openedPages()).length, 1);
});

t.test('hostile claims come out as safe headers, on one line of JSON', async (t) => {
  const claims = {
    email: 'demo@example.com',
    department: HOSTILE,
    'custom:team': HOSTILE,
    title: 'x'.repeat(3_000),
  };
  const user = { username: 'demo', password: 'demo', sub: 'u1', claims };
  const world = await startWorld(t, {
    sandbox: { provider: { users: [user] } },
    profile: { otel_claims: { 'x-manager': ['department'], 'x-role': '__proto__' } },
  });
  await signIn(world);
  const headers = headersIn(t, await helper(world));
  for (const header of ['x-department', 'x-team-id', 'x-manager']) {
    t.match(headers[header], /^[\x20-\x7e]{1,256}$/, header);
    t.match(decodeURIComponent(headers[header] ?? ''), HOSTILE.slice(0, 20), header);
  }
  t.equal(headers['x-role'], 'user', 'what every object has is no claim');
  t.notOk('x-evil' in headers);
});

t.test('the ID token is sent if the profile sets it, and the audit log records it', async (t) => {
  const profile = {
    otel_collector_endpoint: 'https://telemetry.example.com',
    otel_collector_validates_token: true,
  };
  const world = await startWorld(t, { profile, sandbox: { provider: { idTokenSeconds: 600 } } });
  await signIn(world);
  const { home } = world;
  const { authorization = '' } = headersIn(t, await helper(world));
  const { stdout } = await home.run(home.program('credential-process'), ['--get-monitoring-token']);
  t.equal(authorization, `Bearer ${stdout.trim()}`);

  const table = await home.run(home.program('otel-helper'), ['--test']);
  t.match(table.stdout, /authorization +Bearer \(hidden, \d+ characters\)/);
  t.match(table.stdout, /live for 10 min[\s\S]*CLAUDE_CODE_OTEL_HEADERS_HELPER_DEBOUNCE_MS=300000\n$/);
  t.notMatch(table.stdout, stdout.trim().slice(0, 16));

  await home.endDaemon();
  const audit = await home.run('/bin/cat', [`${home.directory}/logs/audit.jsonl`]);
  t.match(audit.stdout, /"what":"id-token"/);
});
