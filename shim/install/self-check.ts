import { join } from 'node:path';
import { type CheckFinding, type NamedCheck, runCheck } from '../../common/doctor.ts';
import { quoteShellWord } from '../../common/shell-quote.ts';
import type { StatusReply } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { awsConfig, awsCredentials, environment } from '../doctor/aws-checks.ts';
import type { DoctorContext } from '../doctor/check.ts';
import { claude } from '../doctor/claude-checks.ts';
import { daemon, socket } from '../doctor/daemon-checks.ts';
import { findingText } from '../doctor/doctor.ts';
import { createDoctorContext } from '../doctor/doctor-context.ts';
import { config, installation } from '../doctor/installation-checks.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';

/** The checks of `bedrock-auth doctor` that cover the installation itself. None of them uses the network. */
const CHECKS: readonly NamedCheck<DoctorContext>[] = [
  { name: 'installation', check: installation },
  { name: 'config', check: config },
  { name: 'socket', check: socket },
  { name: 'daemon', check: daemon },
  { name: 'AWS config', check: awsConfig },
  { name: 'AWS credentials', check: awsCredentials },
  { name: 'environment', check: environment },
  { name: 'Claude Code', check: claude },
];

export type SelfCheckResult = {
  findings: CheckFinding[];
  /** The findings as text for the terminal. */
  text: string;
  /** The command to run next. */
  next: string;
};

/**
 * Runs the checks.
 *
 * @param profiles the profiles of the package: findings about others are left out.
 */
export async function runSelfCheck(edges: ShimEdges, profiles: readonly string[]): Promise<SelfCheckResult> {
  const context = createDoctorContext(edges, undefined);
  try {
    const status = await context.status();
    const found = await Promise.all(CHECKS.map((check) => runCheck(check, context)));
    const findings = found.flat().filter(({ profile }) => profile === null || profiles.includes(profile));
    const text = findings.map((finding) => findingText(edges, context, finding)).join('');
    return { findings, text, next: nextCommand(edges, status) };
  } finally {
    context.end();
  }
}

/** Returns the next command, with the path of `bedrock-auth` unless its folder is on the PATH. */
function nextCommand(edges: ShimEdges, status: StatusReply | CcwbError): string {
  const signedIn =
    !(status instanceof CcwbError) && status.profiles.some(({ state }) => state === 'signed-in');
  const { installation: folder, env } = edges;
  const onPath = (env.PATH ?? '').split(':').includes(folder);
  const path = join(folder, 'bedrock-auth');
  const short = shortPath(path, env.HOME);
  const name = onPath ? 'bedrock-auth' : /^~[\w@%+=:,./-]+$/.test(short) ? short : quoteShellWord(path);
  return `${name} ${signedIn ? 'status' : 'login'}`;
}
