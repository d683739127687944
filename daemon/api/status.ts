import { type Problem, type ProfileStatus, rfc3339 } from '../../protocol/api.ts';
import type { CcwbError } from '../../protocol/errors.ts';
import type { ContainerEndpoint } from '../container/container-endpoint.ts';
import type { CorrectedClock } from '../platform/clock.ts';
import type { Profile } from '../profiles/profile.ts';
import type { Profiles } from '../profiles/profiles.ts';

/** Returns the state of each profile for `bedrock-auth status`, unusable ones included. No secrets, no network. */
export function profileStatuses(
  profiles: Profiles,
  clock: CorrectedClock,
  problemOf: ContainerEndpoint['problemOf'],
): ProfileStatus[] {
  const { profiles: invalid } = profiles.invalid();
  return [
    ...profiles.all().map((profile) => statusOf(profile, clock, problemOf(profile.config.name))),
    ...[...invalid].map(([name, error]) => misconfigured(name, error, clock)),
  ];
}

function statusOf(
  { config, session, signIns, credentials }: Profile,
  clock: CorrectedClock,
  containerProblem: ReturnType<ContainerEndpoint['problemOf']>,
): ProfileStatus {
  const { signedIn, user, idTokenUntil, storage, storeProblem } = session.view();
  const { expiresAt, nextRefreshAt, problem: refreshProblem } = credentials.view();
  const problem = refreshProblem ?? containerProblem;
  const { federation } = config;
  return {
    profile: config.name,
    issuer: config.identityProvider.issuer,
    state: signedIn ? 'signed-in' : signIns.isPending() ? 'signing-in' : 'signed-out',
    user,
    storage,
    federation: federation.type === 'cognito' ? federation.identityPoolId : federation.roleArn,
    credentialsUntil: timeOrNull(expiresAt, clock),
    nextRefresh: timeOrNull(nextRefreshAt, clock),
    idTokenUntil: timeOrNull(idTokenUntil, clock),
    problem: problem
      ? describe(problem.error, time(problem.at, clock))
      : storeProblem
        ? describe(storeProblem, time(clock.now(), clock))
        : null,
  };
}

function misconfigured(profile: string, error: CcwbError, clock: CorrectedClock): ProfileStatus {
  return {
    profile,
    issuer: null,
    state: 'misconfigured',
    user: null,
    storage: null,
    federation: null,
    credentialsUntil: null,
    nextRefresh: null,
    idTokenUntil: null,
    problem: describe(error, time(clock.now(), clock)),
  };
}

/** Returns an error in the form of `status`. */
export function describe({ code, message, fix }: CcwbError, at: string): Problem {
  return { code, message, fix, at };
}

/** Formats a time by this machine's uncorrected clock. */
function time(epochMs: number, clock: CorrectedClock): string {
  return rfc3339(clock.local(epochMs));
}

function timeOrNull(epochMs: number | null, clock: CorrectedClock): string | null {
  return epochMs === null ? null : time(epochMs, clock);
}
