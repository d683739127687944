/** Steps that ask the installation about itself: `bedrock-auth status` and `bedrock-auth doctor`. */
import type { StatusReply } from '../../protocol/api.ts';
import { isErrorCode } from '../../protocol/error-codes.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import type { Programs } from './programs.ts';
import { done, type StepResult, testFailure } from './steps.ts';

/** @throws CcwbError */
export async function checkStatus(
  name: string,
  programs: Programs,
  { interrupted }: AdminEdges,
): Promise<StepResult<true>> {
  const { output } = await programs.run('bedrock-auth', ['status', '--profile', name, '--json'], {
    signal: interrupted,
  });
  const { profiles, daemon } = JSON.parse(output) as StatusReply;
  const profile = profiles.find((each) => each.profile === name);
  if (profile?.problem) {
    const { code, message, fix } = profile.problem;
    throw new CcwbError(isErrorCode(code) ? code : 'ERR_TEST_FAILED', message, fix);
  }
  if (profile?.state !== 'signed-in') {
    throw testFailure(
      `the daemon says ${profile?.state ?? 'nothing'} of ${name}`,
      'see bedrock-auth status and logs by hand',
    );
  }
  return done(`daemon ${daemon.build}, next refresh ${profile.nextRefresh ?? 'not planned'}`);
}

type ReportedFinding = {
  readonly check: string;
  readonly outcome: string;
  readonly text: string;
  readonly fix: string | null;
};

/** Checks that always fail in a temporary home, which has no service and no keyring. */
const NOT_HERE = ['service'];

/** @throws CcwbError for a problem; warnings are told. */
export async function checkDoctor(
  name: string,
  programs: Programs,
  { interrupted }: AdminEdges,
): Promise<StepResult<true>> {
  const args = ['doctor', '--profile', name, '--json'];
  const { output } = await programs.run('bedrock-auth', args, { signal: interrupted, statuses: [0, 1] });
  const checks = (JSON.parse(output) as { checks: readonly ReportedFinding[] }).checks.filter(
    ({ check }) => !NOT_HERE.includes(check),
  );
  const problems = checks.filter(({ outcome }) => outcome === 'problem');
  const [first] = problems;
  if (first) {
    const text = problems.map(({ check, text: one }) => `${check}: ${one}`).join('; ');
    throw testFailure(text, first.fix ?? 'see bedrock-auth doctor by hand');
  }
  const warnings = checks.filter(({ outcome }) => outcome === 'warning');
  const told = warnings.map(({ check, text }) => `${check}: ${text}`).join('; ');
  const fine = checks.filter(({ outcome }) => outcome === 'ok').length;
  return done(told === '' ? `${fine} checks, nothing is wrong` : `no problem; ${told}`);
}
