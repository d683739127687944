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

/** Those checks of `bedrock-auth doctor` that tell whether the installation itself is whole; none asks the network. */
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
  /** The findings as people read them. */
  text: string;
  /** What to type next. */
  next: string;
};

/** @param profiles those of the package: others are not its business. */
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

/** A folder on the PATH needs no path. */
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
