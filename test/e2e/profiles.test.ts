import t from 'tap';
import type { Credentials, StatusReply } from '../../protocol/api.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { gate } from '../../tools/support/daemon-edges.ts';
import { freePort } from '../../tools/support/free-port.ts';
import type { Output } from '../../tools/support/output.ts';
import { startWorld, type World } from '../fixtures/world.ts';

function call({ home }: World, profile: string, env: Record<string, string> = {}): Promise<Output> {
  return home.run(home.program('credential-process'), ['--profile', profile], { env });
}

function keyIn({ status, stdout, stderr }: Output): string {
  if (status !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as Credentials).AccessKeyId;
}

async function states({ home }: World): Promise<Record<string, string>> {
  const { profiles } = await home.client.ask<StatusReply>({ route: 'status' });
  return Object.fromEntries(profiles.map(({ profile, state }) => [profile, state]));
}

const OFF = { CCWB_SIGN_IN: 'off' };

t.test(
  'profiles of one application share a sign-in, and a broken profile does not affect others',
  async (t) => {
    const world = await startWorld(t);
    const { home, sandbox, redirectPort } = world;
    const port = await freePort();
    const other = await startSandbox({ provider: { redirectPorts: [port] } });
    t.teardown(() => other.close());
    const shared = sandbox.profile({ redirect_port: redirectPort });
    await home.writeConfig({
      ClaudeCode: shared,
      Research: { ...shared, otel_claims: { 'x-department': ['cost_center'] } },
      Elsewhere: other.profile({ redirect_port: port }),
      Broken: { ...shared, client_id: 7 },
    });

    // The other provider does not come to an end.
    const held = gate();
    other.provider.onTokenRequest(() => held.promise);
    let elsewhereEnded = false;
    const elsewhere = call(world, 'Elsewhere').finally(() => {
      elsewhereEnded = true;
    });
    const [first, second, broken] = await Promise.all(
      ['ClaudeCode', 'Research', 'Broken'].map((name) => call(world, name)),
    );
    if (!first || !second || !broken) throw new Error('three calls, three answers');
    t.not(keyIn(first), keyIn(second), 'credentials of their own');
    t.notOk(elsewhereEnded, 'a slow provider delays nobody else');
    t.equal(
      (await home.openedPages()).filter((page) => page.startsWith(sandbox.provider.issuer)).length,
      1,
      'one page for both',
    );
    t.equal(sandbox.provider.counts.codeExchanges, 1, 'one sign-in');
    t.match(broken, { status: 1, stdout: '', stderr: /ERR_CONFIG_INVALID/ });
    t.match(await states(world), { ClaudeCode: 'signed-in', Research: 'signed-in', Broken: 'misconfigured' });

    held.open();
    keyIn(await elsewhere);
    t.equal((await home.openedPages()).length, 2, 'the other provider has a page of its own');

    const headers = async (profile: string): Promise<Record<string, string>> =>
      JSON.parse((await home.run(home.program('otel-helper'), ['--profile', profile])).stdout);
    t.match(await headers('ClaudeCode'), { 'x-department': 'Research' });
    t.match(await headers('Research'), { 'x-department': 'CC-1001' }, 'with its own claims');

    const cleared = await home.run(home.program('credential-process'), [
      '--clear-cache',
      '--profile',
      'ClaudeCode',
    ]);
    t.equal(cleared.status, 0);
    t.equal(keyIn(await call(world, 'Research')), keyIn(second), 'what one forgets the other keeps');

    await home.run(home.program('bedrock-auth'), ['logout', '--profile', 'Research']);
    t.match(await states(world), {
      ClaudeCode: 'signed-out',
      Research: 'signed-out',
      Elsewhere: 'signed-in',
    });
    t.equal((await call(world, 'ClaudeCode', OFF)).status, 1, 'the sign-in they shared has ended for both');
    keyIn(await call(world, 'Elsewhere', OFF));
  },
);
