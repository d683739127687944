/** The end of the wizard: the last check of the profile, the next commands, and the output of `--json`. */

import { CcwbError } from '../../protocol/errors.ts';
import { formatValue } from '../../protocol/profile-reader.ts';
import type { AdminProfile } from '../profiles/admin-profile.ts';
import { checkProfile } from '../profiles/profile-check.ts';
import { bedrockRegionsOf, federationOf, providerOf, regionOf } from '../profiles/profile-values.ts';
import { findAnswerProblem } from './answered-profile.ts';

import type { Interview } from './interview.ts';

import { QUESTIONS, STEPS } from './steps/steps.ts';
import { estimateOf, stacksFor } from './summary.ts';

/** Returns the error that prevents saving or deploying a profile: parts that contradict each other, or wrong edits by hand. */
export function finalProblem(profile: AdminProfile): CcwbError | undefined {
  const problem = findAnswerProblem(profile);
  if (problem) {
    const { field, value, allowed } = problem;
    const names = QUESTIONS.filter(({ fields }) => fields?.includes(field)).map(({ name }) => `--${name}`);
    return new CcwbError(
      'ERR_CONFIG_INVALID',
      `profile ${profile.name}: ${field} is ${formatValue(value)}; allowed: ${allowed}`,
      `change it${names.length > 0 ? ` with ${names.join(' or ')}` : ''}`,
    );
  }
  try {
    checkProfile(profile, `profile ${profile.name}`, profile.name);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof CcwbError) return thrown;
    throw thrown;
  }
}

/** Returns the lines that tell a person which commands come next, and how to add later what was left out. */
export function nextSteps(profile: AdminProfile, isCurrent: boolean): string[] {
  const flag = isCurrent ? '' : ` --profile ${profile.name}`;
  const later = STEPS.flatMap((step) => {
    const how = step.later?.(profile);
    return how === undefined ? [] : [[step.title, how] as const];
  });
  const width = Math.max(0, ...later.map(([title]) => title.length)) + 2;
  return [
    '',
    'Next:',
    `  ccwb deploy --dry-run${flag}`.padEnd(width + 26),
    `  ccwb deploy${flag}`,
    `  ccwb package${flag}`,
    ...(later.length > 0 ? ['', 'Left out for now; to have it later:'] : []),
    ...later.map(([title, how]) => `  ${title.padEnd(width)}ccwb init${flag} ${how}`),
  ].map((line) => line.trimEnd());
}

/** Returns the object that `--json` prints. It holds no secret. */
export function report(
  profile: AdminProfile,
  interview: Interview,
  saved: { readonly path: string; readonly created: boolean; readonly changed: boolean },
): Record<string, unknown> {
  const provider = providerOf(profile);
  const estimate = estimateOf(profile);
  return {
    profile: profile.name,
    path: saved.path,
    created: saved.created,
    changed: saved.changed,
    provider: provider && { type: provider.providerType, issuer: provider.issuer },
    clientId: profile.config.client_id,
    federation: federationOf(profile),
    account: interview.findings.identity?.account ?? null,
    region: regionOf(profile),
    bedrockRegions: bedrockRegionsOf(profile),
    stacks: stacksFor(profile),
    monthlyUsd: Number((estimate?.totalUsd ?? 0).toFixed(2)),
    unchecked: interview.unchecked,
  };
}
