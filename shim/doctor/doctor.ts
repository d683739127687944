import { type CheckFinding, type NamedCheck, runDoctor } from '../../common/doctor.ts';
import { type DoctorReport, findingLines } from '../../common/findings.ts';
import { painter } from '../../common/terminal/layout.ts';
import type { ShimEdges } from '../program/edges.ts';
import { wantsColours } from '../terminal/format.ts';
import { awsConfig, awsCredentials, environment } from './aws-checks.ts';
import type { DoctorContext } from './check.ts';
import { claude, collector } from './claude-checks.ts';
import { daemon, signIn, socket } from './daemon-checks.ts';
import { createDoctorContext } from './doctor-context.ts';
import { config, installation, logs } from './installation-checks.ts';
import { aws, bedrock, clock, discovery, jwks } from './network-checks.ts';
import { network, service } from './service-checks.ts';
import { browser, redirectPort, storage } from './sign-in-checks.ts';

export type DoctorOptions = { profile?: string; json?: boolean; bedrock?: boolean; bundle?: string };

/** The checks, each after those it depends on. Names as in docs/command-line.md. */
export const CHECKS: readonly (NamedCheck<DoctorContext> & { onRequest?: true })[] = [
  { name: 'installation', check: installation },
  { name: 'config', check: config },
  { name: 'logs', check: logs },
  { name: 'socket', check: socket },
  { name: 'daemon', check: daemon },
  { name: 'service', check: service },
  { name: 'storage', check: storage },
  { name: 'network', check: network },
  { name: 'provider', check: discovery },
  { name: 'signing keys', check: jwks },
  { name: 'clock', check: clock },
  { name: 'browser', check: browser },
  { name: 'redirect port', check: redirectPort },
  { name: 'AWS', check: aws },
  { name: 'Bedrock', check: bedrock, onRequest: true },
  { name: 'sign-in', check: signIn },
  { name: 'AWS config', check: awsConfig },
  { name: 'AWS credentials', check: awsCredentials },
  { name: 'environment', check: environment },
  { name: 'Claude Code', check: claude },
  { name: 'collector', check: collector },
];

/** Runs `bedrock-auth doctor`. The exit status is 1 when there is a problem. */
export async function doctor(edges: ShimEdges, options: DoctorOptions): Promise<number> {
  const context = createDoctorContext(edges, options.profile);
  const checks = CHECKS.filter(({ onRequest }) => !onRequest || options.bedrock === true);
  let report: DoctorReport;
  try {
    report = await runDoctor(checks, context, {
      json: options.json === true,
      colours: wantsColours(edges),
      severalProfiles: context.profiles.length > 1,
      writeOut: edges.writeOut,
    });
  } finally {
    context.end();
  }
  if (options.bundle !== undefined) {
    await (await import('./bundle.ts')).writeBundle(edges, context, report, options.bundle);
  }
  return report.outcome === 'problem' ? 1 : 0;
}

/** Returns one finding as text for people. */
export function findingText(edges: ShimEdges, { profiles }: DoctorContext, finding: CheckFinding): string {
  return findingLines(finding, painter(wantsColours(edges)), profiles.length > 1);
}
