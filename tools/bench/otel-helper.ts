import type { VersionReply } from '../../protocol/api.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { Installation } from '../support/installation.ts';
import { type Figures, measure } from './measure.ts';

/** Claude Code's screen stands still for so long at most. */
export const OTEL_BUDGET_MS = 300;

/**
 * `otel-helper` with the daemon in each state it may be in, beside /bin/true: up, hung (stopped), in the
 * middle of a refresh that does not end, and down.
 */
export async function otelHelperFigures(
  home: Installation,
  sandbox: Sandbox,
  rounds: number,
): Promise<Figures[]> {
  const command = `${home.program('otel-helper')} --profile ClaudeCode`;
  const figures = await measure({ '/bin/true': '/bin/true', 'daemon up': command }, 1, rounds, home.env);

  const { pid } = await home.client.ask<VersionReply>({ route: 'version' });
  process.kill(pid, 'SIGSTOP');
  figures.push(...(await measure({ 'daemon hung': command }, 1, rounds, home.env)));
  process.kill(pid, 'SIGCONT');

  // A new daemon has a refresh token and no ID token, and its provider says nothing.
  await home.endDaemon();
  sandbox.provider.setFault('token', { kind: 'slow', ms: 600_000 });
  const args = ['--profile', 'ClaudeCode'];
  await home.run(home.program('credential-process'), args, { env: { CCWB_SIGN_IN: 'off' } });
  figures.push(...(await measure({ 'in the middle of a refresh': command }, 1, rounds, home.env)));
  sandbox.provider.clearFaults();

  await home.endDaemon('SIGKILL');
  figures.push(...(await measure({ 'daemon down': command }, 1, rounds, home.env)));
  return figures;
}
