import { type DoctorReport, findingLines, findingsOf, reportOf, summaryLine } from '../../common/findings.ts';
import { painter } from '../../common/terminal/layout.ts';
import type { ShimEdges } from '../program/edges.ts';
import { asJson, wantsColours } from '../terminal/view.ts';
import { awsConfig, awsCredentials, environment } from './aws-checks.ts';
import type { Check, Looking } from './check.ts';
import { claude, collector } from './claude-checks.ts';
import { daemon, signIn, socket } from './daemon-checks.ts';
import { config, installation, logs } from './installation-checks.ts';
import { beginLooking } from './look.ts';
import { aws, bedrock, clock, discovery, jwks } from './network-checks.ts';
import { network, service } from './service-checks.ts';
import { browser, redirectPort, storage } from './sign-in-checks.ts';

export type DoctorOptions = { profile?: string; json?: boolean; bedrock?: boolean; bundle?: string };

/** Every check, in the order in which one depends on the other; names as in docs/command-line.md. */
export const CHECKS: readonly { name: string; check: Check; onRequest?: true }[] = [
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

/** `bedrock-auth doctor`: all checks begin at once, and are shown in their order. 1 when there is a problem. */
export async function doctor(edges: ShimEdges, options: DoctorOptions): Promise<number> {
  const looking = beginLooking(edges, options.profile);
  const begun = CHECKS.filter(({ onRequest }) => !onRequest || options.bedrock === true).map(
    ({ name, check }) => ({ name, found: findingsOf(() => check(looking)) }),
  );
  const checks: DoctorReport['checks'] = [];
  try {
    for (const { name, found } of begun) {
      const findings = (await found).map((finding) => ({ check: name, ...finding }));
      checks.push(...findings);
      if (!options.json) for (const finding of findings) await edges.writeOut(shown(edges, looking, finding));
    }
  } finally {
    looking.end();
  }
  const report = reportOf(checks);
  await edges.writeOut(options.json ? asJson(report) : summaryLine(report));
  if (options.bundle !== undefined) {
    await (await import('./bundle.ts')).writeBundle(edges, looking, report, options.bundle);
  }
  return report.outcome === 'problem' ? 1 : 0;
}

/** One finding as people read it. */
export function shown(
  edges: ShimEdges,
  { profiles }: Looking,
  finding: DoctorReport['checks'][number],
): string {
  return findingLines(finding, painter(wantsColours(edges)), profiles.length > 1);
}
