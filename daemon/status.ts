import { type Problem, type ProfileStatus, rfc3339 } from '../protocol/api.ts';
import type { CcwbError } from '../protocol/errors.ts';
import type { Clock } from './edges.ts';
import type { Profile, Profiles } from './profiles.ts';

/** What `bedrock-auth status` shows of each profile, broken ones included. No secrets, no network. */
export function profileStatuses(profiles: Profiles, clock: Clock): ProfileStatus[] {
  const { profiles: invalid } = profiles.invalid();
  return [
    ...profiles.all().map((profile) => statusOf(profile, clock)),
    ...[...invalid].map(([name, error]) => misconfigured(name, error, clock)),
  ];
}

function statusOf({ config, session, signIns, credentials }: Profile, clock: Clock): ProfileStatus {
  const { signedIn, user, idTokenUntil, storage, storeProblem } = session.view();
  const { expiresAt, nextRefreshAt, problem } = credentials.view();
  const { federation } = config;
  return {
    profile: config.name,
    issuer: config.identityProvider.issuer,
    state: signedIn ? 'signed-in' : signIns.underWay() ? 'signing-in' : 'signed-out',
    user,
    storage,
    federation: federation.type === 'cognito' ? federation.identityPoolId : federation.roleArn,
    credentialsUntil: time(expiresAt),
    nextRefresh: time(nextRefreshAt),
    idTokenUntil: time(idTokenUntil),
    problem: problem
      ? describe(problem.error, problem.at)
      : storeProblem
        ? describe(storeProblem, clock.now())
        : null,
  };
}

function misconfigured(profile: string, error: CcwbError, clock: Clock): ProfileStatus {
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
    problem: describe(error, clock.now()),
  };
}

/** An error as `status` shows it. */
export function describe({ code, message, fix }: CcwbError, at: number): Problem {
  return { code, message, fix, at: rfc3339(at) };
}

function time(epochMs: number | null): string | null {
  return epochMs === null ? null : rfc3339(epochMs);
}
