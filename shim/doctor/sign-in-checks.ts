import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Finding, ok, problem, skipped, warning } from '../../common/findings.ts';
import type { ProfileConfig } from '../../protocol/config.ts';
import { daemonEnvironment } from '../daemon/start-daemon.ts';
import { askChild } from '../program/processes.ts';
import { findOpeners, isProgram, readText } from '../sign-in/browser.ts';
import { hostKindOf } from '../sign-in/graphical-session.ts';
import { shortPath } from '../terminal/format.ts';
import { type DoctorContext, forEachProfile, type ShimCheck } from './check.ts';

/** Time in milliseconds after which a silent keyring is waiting for the user. */
const KEYRING_MS = 8_000;

/** Account name of the keyring test, which does not exist. */
const PROBE_ACCOUNT = 'doctor';

/** Text on every page of the daemon. */
const OUR_PAGE = 'Claude Code with Amazon Bedrock';

/** Checks that sign-ins can be stored, through the same keyring as the daemon. */
export const storage: ShimCheck = async ({ edges, profiles, configProblem }) => {
  if (configProblem) return [skipped('config.json cannot be used')];
  if (!profiles.some(({ credentialStorage }) => credentialStorage === 'keyring')) {
    return [ok(`files readable only by you in ${shortPath(edges.paths.runtimeDirectory, edges.env.HOME)}`)];
  }
  const script = join(edges.installation, 'daemon', 'keyring-child.js');
  const message = { operation: 'read', account: PROBE_ACCOUNT };
  const answer = await askChild(script, message, daemonEnvironment(edges.env), KEYRING_MS);
  const { ok: usable, problem: kind, detail } = (answer ?? {}) as Record<string, unknown>;
  if (usable === true) return [ok('the keyring of the operating system can be used')];
  const text = `the keyring cannot be used: ${typeof detail === 'string' ? detail : 'it does not answer'}`;
  const start = 'sudo apt install gnome-keyring, then log in again';
  const other = 'set "credential_storage": "session" in config.json';
  if (kind === 'absent') return [problem(text, `${start}; or ${other}`)];
  return [problem(text, `unlock it with its own program (seahorse, kwalletmanager); or ${other}`)];
};

/** Checks that a page can be shown here, or a code used instead. */
export const browser: ShimCheck = async (context) => {
  const { env, platform } = context.edges;
  const machine = { platform, env, isProgram, readText };
  const [opener] = findOpeners(machine);
  if (opener) return [ok(`pages are opened with ${opener[0]}`)];
  if (env.CCWB_BROWSER === 'none') return [ok('CCWB_BROWSER=none: the address of the page is printed')];
  const host = hostKindOf(machine);
  return forEachProfile(context, async (profile) => {
    const found = await context.discovery(profile);
    const here = host === 'desktop' ? 'no display' : `no browser here (${host})`;
    if ('problem' in found) return skipped(`${here}; whether there are codes is not known`, profile.name);
    if (found.hasDeviceGrant) return ok(`${here}: sign-ins are by a code for another device`, profile.name);
    const { redirectPort: port } = profile;
    const text = `${here}, and the provider has no codes for other devices`;
    return warning(
      text,
      `ssh -L ${port}:localhost:${port} this-machine, from the one with the browser`,
      profile.name,
    );
  });
};

/** Checks that the redirect port is free, or used by the daemon. */
export const redirectPort: ShimCheck = async (context) => {
  const ports = [...new Set(context.profiles.map((profile: ProfileConfig) => profile.redirectPort))];
  if (ports.length === 0) return [skipped('no profile can be used')];
  return Promise.all(ports.map((port) => portFinding(port, context)));
};

async function portFinding(port: number, { probe }: DoctorContext): Promise<Finding> {
  const free = ok(`port ${port} is free`);
  const refusal = await refusalOf(port);
  if (!refusal) return free;
  if (refusal.code === 'EACCES') {
    return problem(`port ${port} may not be used by you`, 'set another redirect_port in config.json');
  }
  const answer = await probe(`http://${refusal.host === '::1' ? '[::1]' : refusal.host}:${port}/`);
  if ('body' in answer && answer.body.includes(OUR_PAGE)) return ok(`port ${port} waits for a sign-in`);
  // The daemon listens for some seconds after a sign-in: it may have stopped between the two looks.
  if (!(await refusalOf(port))) return free;
  const text = `port ${port}, which sign-ins return to, is taken by another program`;
  return problem(text, `lsof -nP -iTCP:${port} -sTCP:LISTEN shows it; else bedrock-auth login --device`);
}

/** Returns the first loopback address on which the port cannot be used. Undefined if it is free on both. */
async function refusalOf(port: number): Promise<{ host: string; code: string } | undefined> {
  const found = await Promise.all(
    ['127.0.0.1', '::1'].map(async (host) => ({ host, code: await listenOn(port, host) })),
  );
  return found.find(
    (each): each is { host: string; code: string } => each.code === 'EADDRINUSE' || each.code === 'EACCES',
  );
}

/**
 * Returns the error code of listening on the port. Undefined if it is free, or the machine has no such
 * address.
 */
function listenOn(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
