import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { until } from '../fixtures/until.ts';
import {
  type Allowed,
  logText,
  mustRefresh,
  nothingLost,
  PROFILE,
  signIn,
  startRunning,
  storedToken,
} from './running.ts';
import { type Findings, faultGroup } from './table.ts';

const fault = faultGroup(t, 'configuration');
const running = await startRunning(t);
const { home, sandbox, redirectPort } = running;
const config = join(home.directory, 'config.json');
const good = await readFile(config, 'utf8');
const profile = sandbox.profile({ redirect_port: redirectPort });

/** The file as it was, replaced as an editor does. */
async function mend(text = good): Promise<void> {
  await rm(config, { recursive: true, force: true });
  await writeFile(`${config}.new`, text);
  await rename(`${config}.new`, config);
}

const configured = (
  name: string,
  body: (t: Test, findings: Findings) => Promise<Allowed | undefined>,
): void =>
  fault(name, async (t, findings) => {
    // What one test loses is not to be the loss of the next.
    if (sandbox.provider.refreshTokenState((await storedToken(home)) ?? '') !== 'current') {
      await home.run(home.program('bedrock-auth'), ['logout']);
      await signIn(home);
      sandbox.provider.resetCounts();
    }
    await until(async () => (await running.call()).status === 0);
    const before = await running.snapshot();
    const allowed = await body(t, findings);
    await mend();
    await until(async () => (await home.status()).configProblem === null);
    t.equal((await running.call()).status, 0, 'and credentials when the file is good');
    findings.log(logText(await running.logSince(before)));
    findings.survived(await nothingLost(t, running, before, allowed));
  });

/** A file that cannot be used: what works goes on working, and `status` tells. */
const spoilt = (name: string, spoil: () => Promise<void>): void =>
  configured(name, async (t, findings) => {
    const before = await running.call();
    await spoil();
    const { configProblem } = await until(async () => {
      const status = await home.status();
      return status.configProblem ? status : undefined;
    });
    t.match(configProblem?.code, /^ERR_CONFIG_/);
    const during = await running.call();
    t.equal(during.status, 0, during.stderr);
    t.equal(during.key, before.key, 'the same credentials');
    findings.caller(`${during.text}; status: ${configProblem?.code}`);
    return undefined;
  });

spoilt('config.json is garbage while the daemon runs', () => writeFile(config, '{"profiles": {'));
spoilt('config.json is emptied while the daemon runs', () => writeFile(config, ''));
spoilt('config.json is removed while the daemon runs', () => rm(config));
spoilt('config.json becomes a directory', async () => {
  await rm(config);
  await mkdir(config);
});
spoilt('config.json becomes a link to nothing', async () => {
  await rm(config);
  await symlink('/nonexistent', config);
});
spoilt('config.json is 10 MB of nothing', () => writeFile(config, 'x'.repeat(1e7)));

configured('a field of the profile becomes wrong while the daemon runs', async (t, findings) => {
  await mend(JSON.stringify({ profiles: { [PROFILE]: { ...profile, redirect_port: 'eighty' } } }));
  await until(async () => (await home.status()).profiles[0]?.state === 'misconfigured');
  const call = await running.call();
  t.match(call, { status: 1, code: 'ERR_CONFIG_INVALID', stdout: '' });
  findings.caller(call.text);
  return undefined;
});
configured('config.json is rewritten 50 times while callers ask', async (t, findings) => {
  const key = (await running.call()).key;
  let rewriting = true;
  const writing = (async () => {
    for (let times = 0; times < 50; times += 1) {
      // Not by renaming: a reader may find half of it.
      if (times % 2) await writeFile(config, good);
      else await mend(`${good}${' '.repeat(times)}`);
      await sleep(20);
    }
    rewriting = false;
  })();
  let calls = 0;
  while (rewriting) {
    const answer = await running.ask();
    calls += 1;
    if (!answer.ok || answer.key !== key) t.fail(`answer ${calls}: ${JSON.stringify(answer)}`);
    await home.status();
  }
  await writing;
  findings.caller('exit 0 each time, the same credentials');
  return undefined;
});

/** Starts a refresh that takes its time, and does something to the configuration meanwhile. */
async function duringRefresh(act: () => Promise<void>): Promise<void> {
  const { provider } = sandbox;
  provider.setFault('token', { kind: 'slow', ms: 1_500 }, 1);
  const { refreshGrants } = provider.counts;
  await mustRefresh(running);
  const call = running.ask();
  await until(() => provider.counts.refreshGrants > refreshGrants);
  await act();
  await call;
}
const other = { ...profile, identity_pool_id: undefined, federation_type: 'direct' };
const withFields = (fields: Record<string, unknown>): string =>
  JSON.stringify({ profiles: { [PROFILE]: { ...profile, ...fields } } });

configured('the profile is removed and added again during a refresh', async (t, findings) => {
  await duringRefresh(async () => {
    await mend(JSON.stringify({ profiles: { Other: { ...profile, client_id: 'another' } } }));
    await until(async () => (await home.status()).profiles.every(({ profile: name }) => name === 'Other'));
    await mend();
    await until(async () => (await home.status()).profiles.some(({ profile: name }) => name === PROFILE));
    const calls = await Promise.all(Array.from({ length: 5 }, () => running.call()));
    for (const { status, stderr } of calls) t.equal(status, 0, stderr);
  });
  findings.caller('5 times exit 0');
  return undefined;
});
configured('the profile is renamed during a refresh', async (t, findings) => {
  await duringRefresh(async () => {
    await mend(JSON.stringify({ profiles: { Renamed: profile } }));
    await until(async () => (await home.status()).profiles.some(({ profile: name }) => name === 'Renamed'));
    const call = await running.call({ profile: 'Renamed' });
    t.equal(call.status, 0, call.stderr);
    findings.caller(`under its new name ${call.text}`);
    t.match(await running.call(), { status: 1, code: 'ERR_PROFILE_UNKNOWN' });
  });
  return undefined;
});
configured('redirect_port and scopes change during a refresh', async (t, findings) => {
  await duringRefresh(async () => {
    for (const [port, scopes] of [
      [redirectPort + 1, 'openid'],
      [redirectPort, 'openid email offline_access'],
    ] as const) {
      await mend(withFields({ redirect_port: port, scopes }));
      const call = await running.call();
      t.equal(call.status, 0, call.stderr);
    }
  });
  findings.caller('exit 0');
  return undefined;
});
configured('the profile goes over to direct federation during a refresh', async (t, findings) => {
  const role = { ...other, federated_role_arn: 'arn:aws:iam::123456789012:role/BedrockSandboxRole' };
  await duringRefresh(async () => {
    await mend(JSON.stringify({ profiles: { [PROFILE]: role } }));
    await until(async () => /arn:aws/.test((await home.status()).profiles[0]?.federation ?? ''));
    const call = await running.call();
    t.equal(call.status, 0, call.stderr);
    findings.caller(call.text);
  });
  return undefined;
});
configured('a second profile of the same sign-in comes and goes', async (t, findings) => {
  for (let times = 0; times < 5; times += 1) {
    await mend(JSON.stringify({ profiles: { [PROFILE]: profile, Second: profile } }));
    await until(async () => (await home.status()).profiles.length === 2);
    const call = await running.call({ profile: 'Second' });
    t.equal(call.status, 0, call.stderr);
    await mend();
    await until(async () => (await home.status()).profiles.length === 1);
  }
  findings.caller('exit 0 for both');
  return undefined;
});
configured('removed while the daemon runs, and the daemon is restarted', async (t, findings) => {
  await rm(config);
  await home.endDaemon();
  const call = await running.call();
  t.match(call, { status: 1, code: 'ERR_CONFIG_MISSING', stdout: '' });
  findings.caller(call.text);
  await mend();
  await home.endDaemon();
  await running.startDaemon();
  return { restarted: true };
});
