import t, { type Test } from 'tap';
import type { Fault, ProviderEndpoint } from '../../sandbox/provider/identity-provider.ts';
import { obtainTokens, revokeToken } from '../../sandbox/provider/oauth-client.ts';
import { until } from '../fixtures/until.ts';
import { pool } from './cycle.ts';
import {
  logText,
  nothingLost,
  type Running,
  replaceStoredToken,
  startRunning,
  storedToken,
} from './running.ts';
import { type Findings, faultGroup } from './table.ts';

const fault = faultGroup(t, 'provider, a daemon that starts', 3);
const worlds = pool(3, () => startRunning(t, { sandbox: { provider: { rotationGraceSeconds: 120 } } }));

/** A new daemon knows a refresh token and nothing else; so does its first caller. */
async function cold(
  t: Test,
  findings: Findings,
  running: Running,
  made: { inject(running: Running): void | Promise<void>; code: RegExp },
): Promise<void> {
  const { home, sandbox } = running;
  await home.endDaemon();
  await made.inject(running);
  const log = (await home.daemonLog()).length;
  await running.startDaemon();
  const before = { ...(await running.snapshot()), log };
  const during = await running.call();
  t.equal(during.status, 1);
  t.match(during.code, made.code);
  t.equal(during.stdout, '');
  findings.caller(during.text);
  sandbox.provider.clearFaults();
  await until(() => running.hasCredentials());
  const after = await running.call();
  t.equal(after.status, 0, after.stderr);
  findings.caller('afterwards exit 0');
  findings.log(logText(await running.logSince(before)));
  findings.survived(await nothingLost(t, running, before, { reuses: true }));
}

const atStart = (name: string, endpoint: ProviderEndpoint | 'all', made: Fault, code: RegExp): void =>
  fault(name, (t, findings) =>
    worlds((running) =>
      cold(t, findings, running, {
        inject: ({ sandbox }) => sandbox.provider.setFault(endpoint, made),
        code,
      }),
    ),
  );

const UNREACHABLE = /^ERR_PROVIDER_UNREACHABLE$/;
const INVALID = /^ERR_PROVIDER_INVALID$/;
const SLOW = /^ERR_(REFRESH_PENDING|PROVIDER_UNREACHABLE)$/;
const json = (body: string): Fault => ({
  kind: 'status',
  status: 200,
  contentType: 'application/json',
  body,
});

atStart('discovery: status 500', 'discovery', { kind: 'status', status: 500 }, UNREACHABLE);
atStart('discovery: status 404', 'discovery', { kind: 'status', status: 404 }, INVALID);
atStart('discovery: HTML of a captive portal', 'discovery', { kind: 'html' }, INVALID);
atStart('discovery: cut half-way', 'discovery', { kind: 'cutReply' }, UNREACHABLE);
atStart('discovery: empty', 'discovery', json(''), INVALID);
atStart('discovery: slower than the limit', 'discovery', { kind: 'slow', ms: 25_000 }, SLOW);
atStart('discovery: a byte at a time', 'discovery', { kind: 'drip', ms: 200 }, SLOW);
atStart('discovery: an empty object', 'discovery', json('{}'), /^ERR_(PROVIDER_INVALID|ID_TOKEN_INVALID)$/);
atStart('JWKS down', 'jwks', { kind: 'status', status: 503 }, UNREACHABLE);
atStart('JWKS reset', 'jwks', { kind: 'reset' }, UNREACHABLE);
atStart('JWKS: HTML of a captive portal', 'jwks', { kind: 'html' }, INVALID);

fault('discovery: names another issuer', (t, findings) =>
  worlds((running) =>
    cold(t, findings, running, {
      inject: async ({ sandbox: { provider } }) => {
        const response = await fetch(`${provider.issuer}/.well-known/openid-configuration`);
        const document = (await response.json()) as Record<string, unknown>;
        const body = JSON.stringify({ ...document, issuer: 'https://issuer.example.org' });
        provider.setFault('discovery', json(body));
      },
      code: INVALID,
    }),
  ),
);

fault('provider not there when the daemon starts', async (t, findings) =>
  worlds(async (running) => {
    await running.sandbox.provider.stop();
    await running.restartDaemon();
    const before = await running.snapshot();
    const during = await running.call();
    t.match(during, { status: 1, code: 'ERR_PROVIDER_UNREACHABLE' });
    findings.caller(during.text);
    await running.sandbox.provider.start();
    await until(() => running.hasCredentials());
    t.equal((await running.call()).status, 0);
    findings.caller('afterwards exit 0');
    findings.log(logText(await running.logSince(before)));
    findings.survived(await nothingLost(t, running, before));
  }),
);

fault('answer lost once, inside the grace: the same token again at once', async (t, findings) =>
  worlds(async (running) => {
    const { home, sandbox } = running;
    const before = await running.snapshot();
    await home.endDaemon();
    sandbox.provider.setFault('token', { kind: 'loseReply' }, 1);
    // The daemon's own first try is the one that loses its answer; whoever asks meanwhile shares it.
    await running.startDaemon();
    const during = await running.call();
    t.equal(during.status, 0, during.stderr);
    findings.caller(during.text);
    findings.log(logText(await running.logSince(before)));
    const allowed = { reuses: true, restarted: true };
    findings.survived(await nothingLost(t, running, before, allowed));
  }),
);

fault('the session was ended at the provider (invalid_grant), ten callers', async (t, findings) =>
  worlds(async (running) => {
    const { home, sandbox } = running;
    const before = await running.snapshot();
    const old = await storedToken(home);
    sandbox.provider.revokeAll();
    await home.endDaemon();
    await running.startDaemon();
    const calls = await Promise.all(Array.from({ length: 10 }, () => running.call({ signIn: true })));
    for (const { status, stderr } of calls) t.equal(status, 0, stderr);
    t.equal(new Set(calls.map(({ key }) => key)).size, 1, 'ten times the same credentials');
    t.not(await storedToken(home), old, 'the dead token is not kept');
    findings.caller('asked to sign in once, then all ten exit 0');
    findings.log(logText(await running.logSince(before)));
    const allowed = { pages: 1, refused: 1, restarted: true };
    findings.survived(await nothingLost(t, running, before, allowed));
  }),
);

fault('the session was ended at the provider, with sign-ins off', async (t, findings) =>
  worlds(async (running) => {
    const { home, sandbox } = running;
    sandbox.provider.revokeAll();
    await running.restartDaemon();
    const before = await running.snapshot();
    const calls = await Promise.all([running.call(), running.call(), running.call()]);
    for (const call of calls) t.match(call, { status: 1, code: 'ERR_LOGIN_OFF', stdout: '' });
    findings.caller(calls[0]?.text ?? '');
    const again = await running.call({ signIn: true });
    t.equal(again.status, 0, again.stderr);
    findings.caller('bedrock-auth login helps');
    findings.log(logText(await running.logSince(before)));
    t.equal((await home.openedPages()).length - before.pages, 1, 'no page before it was asked for');
    findings.survived(await nothingLost(t, running, before, { pages: 1, refused: 1 }));
  }),
);

fault('invalid_grant while another process has stored a newer token', async (t, findings) =>
  worlds(async (running) => {
    const { home, sandbox } = running;
    const before = await running.snapshot();
    await home.endDaemon();
    // Slow, so that the other process stores its token while ours is on its way.
    sandbox.provider.setFault('token', { kind: 'slow', ms: 1_500 }, 1);
    await running.startDaemon();
    await until(() => sandbox.provider.counts.refreshGrants > before.counts.refreshGrants);
    const ours = await storedToken(home);
    const theirs = await obtainTokens(sandbox.provider, {}, { redirect_uri: redirectUri(running) });
    await replaceStoredToken(home, theirs.refresh_token ?? '');
    await revokeToken(sandbox.provider, ours);
    const during = await running.call();
    t.equal(during.status, 0, during.stderr);
    findings.caller(during.text);
    findings.log(logText(await running.logSince(before)));
    t.equal((await home.openedPages()).length, before.pages);
    // The other process's own sign-in.
    before.counts.codeExchanges += 1;
    const allowed = { refused: 1, restarted: true };
    findings.survived(await nothingLost(t, running, before, allowed));
  }),
);

function redirectUri({ redirectPort }: Running): string {
  return `http://localhost:${redirectPort}/callback`;
}
