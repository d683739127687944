import t from 'tap';
import type { StatusReply } from '../../../protocol/api.ts';
import { signInOverHttp } from '../../../sandbox/browser/browserless.ts';
import { codeOf } from '../../../tools/support/daemon-edges.ts';
import { jsonError } from '../fixtures/aws.ts';
import { runDaemon } from '../fixtures/daemon.ts';

const params = { profile: 'A' };
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

type Running = Awaited<ReturnType<typeof runDaemon>>;

async function statusOf({ client }: Running, name = 'A') {
  const { profiles } = await client.ask<StatusReply>({ route: 'status' });
  return profiles.find(({ profile }) => profile === name);
}

async function signIn({ client }: Running): Promise<void> {
  const body = { automatic: false, canOpenPage: true };
  const { url } = await client.ask<{ url: string }>({ route: 'signIn', params, body });
  await signInOverHttp(url);
}

t.test('the state of a profile follows its sign-in', async (t) => {
  const running = await runDaemon(t);
  t.match(await statusOf(running), {
    profile: 'A',
    issuer: running.provider.issuer,
    state: 'signed-out',
    user: null,
    storage: 'memory of a test',
    federation: 'us-east-1:11111111-2222-3333-4444-555555555555',
    credentialsUntil: null,
    nextRefresh: null,
    idTokenUntil: null,
    problem: null,
  });
  const body = { automatic: false, canOpenPage: true };
  const { url } = await running.client.ask<{ url: string }>({ route: 'signIn', params, body });
  t.match(await statusOf(running), { state: 'signing-in', user: null });
  await signInOverHttp(url);
  t.match(await statusOf(running), {
    state: 'signed-in',
    user: /./,
    credentialsUntil: TIME,
    nextRefresh: TIME,
    idTokenUntil: TIME,
    problem: null,
  });
});

t.test('the status contains the daemon and its configuration', async (t) => {
  const { client, configPath } = await runDaemon(t);
  t.match(await client.ask<StatusReply>({ route: 'status' }), {
    daemon: { pid: process.pid, startedAt: TIME },
    config: configPath,
  });
});

t.test('the last problem is shown with its fix until it is solved', async (t) => {
  const running = await runDaemon(t);
  await signIn(running);
  const answer = running.aws.answer;
  running.aws.answer = () => jsonError('ResourceNotFoundException');
  await running.client.ask({ route: 'forgetCredentials', params });
  t.equal(await codeOf(running.client.ask({ route: 'credentials', params })), 'ERR_AWS_CONFIG');
  t.match(await statusOf(running), {
    state: 'signed-in',
    credentialsUntil: null,
    problem: { code: 'ERR_AWS_CONFIG', message: /identity_pool_id/, fix: /./, at: TIME },
  });
  running.aws.answer = answer;
  while ((await codeOf(running.client.ask({ route: 'credentials', params }))) !== 'no error')
    await new Promise((resolve) => setTimeout(resolve, 50));
  t.match(await statusOf(running), { problem: null });
});

t.test('a session that was not stored is reported', async (t) => {
  const running = await runDaemon(t);
  running.store.before = async (operation) => {
    if (operation === 'write') throw Object.assign(new Error('planted'), { code: 'ENOSPC' });
  };
  await signIn(running);
  const status = await statusOf(running);
  t.match(status, { state: 'signed-in', problem: { at: TIME } });
  t.notMatch(JSON.stringify(status), /planted/);
});

t.test('unusable profiles are listed beside usable ones', async (t) => {
  const running = await runDaemon(t);
  running.writeConfig({ A: running.fields(), Bad: running.fields({ redirect_port: 0 }) });
  t.match(await statusOf(running), { state: 'signed-out' });
  t.match(await statusOf(running, 'Bad'), {
    state: 'misconfigured',
    issuer: null,
    problem: { code: 'ERR_CONFIG_INVALID', message: /redirect_port is 0/ },
  });
});

t.test('a file that was damaged later is reported beside working profiles', async (t) => {
  const running = await runDaemon(t);
  running.writeConfig({});
  const reply = await running.client.ask<StatusReply>({ route: 'status' });
  t.match(reply.profiles, [{ profile: 'A', state: 'signed-out', problem: null }]);
  t.match(reply.configProblem, { code: 'ERR_CONFIG_INVALID', fix: /./, at: TIME });
  running.writeConfig({ A: running.fields() });
  t.match(await running.client.ask<StatusReply>({ route: 'status' }), { configProblem: null });
});

t.test('a direct profile shows its role', async (t) => {
  const running = await runDaemon(t);
  const federated_role_arn = 'arn:aws:iam::123456789012:role/R';
  running.writeConfig({ A: running.fields({ identity_pool_id: null, federated_role_arn }) });
  t.match(await statusOf(running), { federation: federated_role_arn });
});

t.test('the status contains no secret', async (t) => {
  const running = await runDaemon(t);
  await signIn(running);
  await running.client.ask({ route: 'credentials', params });
  const text = JSON.stringify(await running.client.ask<StatusReply>({ route: 'status' }));
  t.notMatch(text, /aws-secret|aws-session|ASIAEXAMPLE|eyJ/);
  const [stored = ''] = running.store.items.values();
  const { refreshToken } = JSON.parse(stored) as { refreshToken: string };
  t.notOk(text.includes(refreshToken));
});
