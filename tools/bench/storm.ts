import type { Credentials, VersionReply } from '../../protocol/api.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { Installation } from '../support/installation.ts';
import { type Figures, measure } from './measure.ts';

/** Claude Code was seen starting this many at once. */
export const STORM = 13;

/** Lives that are over soon, in seconds. */
const SHORT_SECONDS = 6;
const LONG_SECONDS = 3_600;

/**
 * Thirteen at once where they cannot be answered from memory: with no daemon running, with nobody signed in
 * either (a stand-in for a browser signs in), and just after the daemon slept until everything had expired.
 */
export async function stormFigures(home: Installation, sandbox: Sandbox, rounds: number): Promise<Figures[]> {
  const command = `${home.program('credential-process')} --profile ClaudeCode`;
  const live = (seconds: number): void => {
    sandbox.provider.setLifetimes({ idTokenSeconds: seconds });
    sandbox.aws.setCredentialSeconds(seconds);
  };
  const signOut = async (): Promise<void> => {
    await home.run(home.program('bedrock-auth'), ['logout']);
    await home.endDaemon();
  };
  const sleepUntilExpiry = async (): Promise<void> => {
    await home.endDaemon();
    live(SHORT_SECONDS);
    const { stdout } = await home.run('/bin/sh', ['-c', command]);
    const { pid } = await home.client.ask<VersionReply>({ route: 'version' });
    process.kill(pid, 'SIGSTOP');
    const { Expiration } = JSON.parse(stdout) as Credentials;
    while (Date.now() <= Date.parse(Expiration)) await new Promise((resolve) => setTimeout(resolve, 50));
    live(LONG_SECONDS);
    process.kill(pid, 'SIGCONT');
  };
  return measure(
    {
      '/bin/true': '/bin/true',
      'node -e 0': `${process.execPath} -e 0`,
      'no daemon': { command, before: () => home.endDaemon() },
      'no daemon, nobody signed in': { command, before: signOut },
      'at expiry': { command, before: sleepUntilExpiry },
    },
    STORM,
    rounds,
    home.env,
  );
}
