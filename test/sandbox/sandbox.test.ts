import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startSandbox } from '../../sandbox/sandbox.ts';

t.test('a sandbox starts fast, gives profiles for both kinds of federation, and closes fast', async (t) => {
  await (await startSandbox()).close();
  const before = performance.now();
  const sandbox = await startSandbox({ provider: { redirectPorts: [9001] } });
  t.ok(performance.now() - before < 500, 'started');
  const shared = { issuer: sandbox.provider.issuer, redirect_port: 9001, sts_endpoint: sandbox.aws.url };
  const pooled = sandbox.profile({ credential_storage: 'keyring' });
  t.match(pooled, { ...shared, federation_type: 'cognito', credential_storage: 'keyring' });
  t.notOk('federated_role_arn' in pooled);
  const direct = sandbox.profile({ federation_type: 'direct' });
  t.match(direct, { ...shared, federation_type: 'direct', max_session_duration: 43_200 });
  t.notOk('identity_pool_id' in direct);

  await fetch(`${sandbox.provider.issuer}/jwks`);
  await fetch(sandbox.aws.url);
  const closing = performance.now();
  await sandbox.close();
  t.ok(performance.now() - closing < 500, 'closed in spite of connections kept alive');
});

t.test('by hand: it prints its addresses, writes a config.json and ends on Ctrl-C', async (t) => {
  const config = join(t.testdir(), 'config.json');
  const main = fileURLToPath(new URL('../../sandbox/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, '--credential-seconds', '900', '--config', config]);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let output = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += chunk;
    if (output.includes('Ctrl-C')) break;
  }
  t.match(output, /identity provider +http:\/\/127\.0\.0\.1:\d+\n/);
  t.match(JSON.parse(await readFile(config, 'utf8')), {
    profiles: { Sandbox: { federation_type: 'cognito' }, SandboxDirect: { federation_type: 'direct' } },
  });
  child.kill('SIGINT');
  t.equal(await ended, 0);
});
