import { type NamedCheck, runDoctor } from '../../common/doctor.ts';
import type { DoctorReport } from '../../common/findings.ts';
import type { AdminEdges } from '../edges.ts';
import type { ProfileFlags } from '../profiles/chosen-profile.ts';
import { account, credentials, services } from './aws-checks.ts';
import type { AdminDoctorContext, AdminMachine } from './check.ts';
import { createDoctorContext } from './doctor-context.ts';
import { disk, network, node, npm, profile, profiles } from './local-checks.ts';
import { provider, signingKeys } from './provider-checks.ts';
import { outputs, stacks } from './stack-checks.ts';

export type DoctorFlags = ProfileFlags & { json?: true };

/** Every check, in the order in which one depends on the other; names as in docs/command-line.md. */
export const CHECKS: readonly NamedCheck<AdminDoctorContext>[] = [
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

/** Runs every check and reports what they find, as text or as JSON. */
export async function doctor(
  flags: DoctorFlags,
  edges: AdminEdges,
  machine: AdminMachine,
): Promise<DoctorReport> {
  return runDoctor(CHECKS, createDoctorContext(flags, edges, machine), {
    json: flags.json === true,
    colours: edges.colours,
    severalProfiles: false,
    writeOut: edges.writeOut,
  });
}
