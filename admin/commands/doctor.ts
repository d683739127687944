import type { Command } from 'commander';
import { type NamedCheck, runDoctor } from '../../common/doctor.ts';
import type { DoctorReport } from '../../common/findings.ts';
import { account, credentials, services } from '../doctor/aws-checks.ts';
import type { Looking, Machine } from '../doctor/check.ts';
import { disk, network, node, npm, profile, profiles } from '../doctor/local-checks.ts';
import { beginLooking, thisMachine } from '../doctor/look.ts';
import { provider, signingKeys } from '../doctor/provider-checks.ts';
import { outputs, stacks } from '../doctor/stack-checks.ts';
import type { AdminEdges } from '../edges.ts';
import { addProfileOptions, type ProfileFlags } from './session.ts';

type DoctorFlags = ProfileFlags & { json?: true };

/** Every check, in the order in which one depends on the other; names as in docs/command-line.md. */
export const CHECKS: readonly NamedCheck<Looking>[] = [
  { name: 'Node.js', check: node },
  { name: 'profiles', check: profiles },
  { name: 'profile', check: profile },
  { name: 'disk', check: disk },
  { name: 'network', check: network },
  { name: 'npm', check: npm },
  { name: 'provider', check: provider },
  { name: 'signing keys', check: signingKeys },
  { name: 'AWS services', check: services },
  { name: 'AWS credentials', check: credentials },
  { name: 'AWS account', check: account },
  { name: 'stacks', check: stacks },
  { name: 'outputs', check: outputs },
];

const NOTES = `
Changes nothing, here or in AWS. Exit status 0 when nothing is a problem;
warnings are none.

Examples:
  $ ccwb doctor
  $ ccwb doctor --json
`;

/** Adds `ccwb doctor`. @param fail told when there is a problem. */
export function addDoctorCommand(program: Command, edges: AdminEdges, fail: () => void): void {
  const command = program
    .command('doctor')
    .summary('look for what keeps ccwb from working')
    .description('Looks for what keeps ccwb from working, and says how to mend it.')
    .option('--json', 'print it as JSON');
  addProfileOptions(command)
    .addHelpText('after', NOTES)
    .action(async (flags: DoctorFlags) => {
      const report = await doctor(flags, edges, thisMachine());
      if (report.outcome === 'problem') fail();
    });
}

/** Runs every check and reports what they find, as text or as JSON. */
export async function doctor(flags: DoctorFlags, edges: AdminEdges, machine: Machine): Promise<DoctorReport> {
  return runDoctor(CHECKS, beginLooking(flags, edges, machine), {
    json: flags.json === true,
    colours: edges.colours,
    severalProfiles: false,
    writeOut: edges.writeOut,
  });
}
