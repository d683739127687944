import t, { type Test } from 'tap';
import type { Credentials, VersionReply } from '../../protocol/api.ts';
import type { Output } from '../../tools/support/output.ts';
import { startWorld, type World } from '../fixtures/world.ts';

/** Claude Code was seen starting this many at launch, within this time. */
const STORM = 13;
const WITHIN_MS = 200;

/** As Claude Code starts them: one after the other, none waiting for another. */
async function storm({ home }: World): Promise<Output[]> {
  const calls: Promise<Output>[] = [];
  for (let call = 0; call < STORM; call += 1) {
    calls.push(home.run(home.program('credential-process'), ['--profile', 'ClaudeCode']));
    await new Promise((resolve) => setTimeout(resolve, WITHIN_MS / STORM));
  }
  return Promise.all(calls);
}

/** Every one of them got the same credentials, which live. */
function allServed(t: Test, outputs: readonly Output[]): Credentials {
  const failed = outputs.find(({ status }) => status !== 0);
  t.equal(failed, undefined, failed?.stderr ?? 'no failure');
  t.equal(new Set(outputs.map(({ stdout }) => stdout)).size, 1, 'one answer');
  const credentials = JSON.parse(outputs[0]?.stdout ?? '{}') as Credentials;
  t.ok(Date.parse(credentials.Expiration) > Date.now());
  return credentials;
}

t.test('many calls at once, cold, warm and at expiry, succeed with one page', async (t) => {
  const world = await startWorld(t);
  const { home, sandbox } = world;
  const live = (seconds: number): void => {
    sandbox.provider.setLifetimes({ idTokenSeconds: seconds });
    sandbox.aws.setCredentialSeconds(seconds);
  };

  const cold = allServed(t, await storm(world));
  t.equal((await home.openedPages()).length, 1, 'cold: no daemon, nobody signed in, one page');
  t.equal(sandbox.provider.counts.codeExchanges, 1);

  const asked = sandbox.aws.calls.length;
  t.same(allServed(t, await storm(world)), cold, 'warm: from memory');
  t.equal(sandbox.aws.calls.length, asked, 'without a call to AWS');

  // The laptop sleeps until everything has run out, and all of them ask as it wakes up.
  await home.endDaemon();
  live(8);
  const { stdout } = await home.run(home.program('credential-process'), ['--profile', 'ClaudeCode']);
  const { pid } = await home.client.ask<VersionReply>({ route: 'version' });
  process.kill(pid, 'SIGSTOP');
  const { Expiration } = JSON.parse(stdout) as Credentials;
  while (Date.now() <= Date.parse(Expiration)) await new Promise((resolve) => setTimeout(resolve, 50));
  live(3_600);
  const grants = sandbox.provider.counts.refreshGrants;
  process.kill(pid, 'SIGCONT');
  const fresh = allServed(t, await storm(world));
  t.not(fresh.AccessKeyId, cold.AccessKeyId, 'at expiry: new credentials');
  t.equal(sandbox.provider.counts.refreshGrants - grants, 1, 'from one refresh grant');
  t.equal((await home.openedPages()).length, 1, 'and never a second page');
  t.equal(sandbox.provider.counts.codeExchanges, 1);
});
