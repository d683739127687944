import type { DoctorFlags } from '../doctor/doctor.ts';
import type { AdminCommand, CommandCall } from './command.ts';
import { PROFILE_FLAGS } from './profile-flags.ts';

const NOTES = `
Changes nothing, here or in AWS. Exit status 0 when nothing is a problem;
warnings are none.

Examples:
  $ ccwb doctor
  $ ccwb doctor --json
`;

export const DOCTOR: AdminCommand = {
  name: 'doctor',
  summary: 'look for what keeps ccwb from working',
  description: 'Looks for what keeps ccwb from working, and says how to mend it.',
  flags: [{ flags: '--json', text: 'print it as JSON' }, ...PROFILE_FLAGS],
  notes: NOTES,
  run: async ({ flags, edges }: CommandCall<DoctorFlags>) => {
    const { doctor } = await import('../doctor/doctor.ts');
    const { readMachine } = await import('../doctor/doctor-context.ts');
    const { outcome } = await doctor(flags, edges, readMachine());
    return outcome === 'problem' ? 1 : 0;
  },
};
