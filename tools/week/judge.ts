/** Judges a week: its figures, and every promise that it broke. */
import { after, type Interval, lengthMs, splitAt, within, without } from './intervals.ts';
import { leastGrants } from './least-grants.ts';
import { HEALTHY, HOUR, MINUTE, type ProfileName, SECOND } from './plan.ts';
import { ABANDONED, type RequestRecord, type WeekRecord } from './week.ts';

/**
 * After a wake-up, the start of the daemon, a change of the clock, and the end of an outage of network, provider
 * or AWS, the daemon is given this long. A moment is settled when it has been.
 */
const SETTLING_MS = MINUTE;

// Of the timing policy, and written out again: a slip there is not to slip in here.
const LEAST_LIFE_MS = 20 * MINUTE;
const RENEWED_WITH_MS = 25 * MINUTE;
const JITTER_MS = 3 * MINUTE;
const USABLE_MS = 5 * SECOND;
const STALE_WAIT_MS = 2 * SECOND;
const LAST_BACK_OFF_MS = 5 * MINUTE;

/** Largest error in the time left that an SDK computes: a smaller clock error is not corrected. */
const TOLD_LIFE_MS = 20 * SECOND;

/** More grants than the least possible, at most. */
export const MOST_GRANTS = 1.1;

export type Verdict = {
  seed: number;
  awakeHours: number;
  settledHours: number;
  wakeUps: number;
  requests: {
    all: number;
    settled: number;
    /** Settled, and waited although credentials were there. */
    settledWaits: number;
    /** Settled, and waited since there was nothing: an outage or a sleep had outlived the credentials. */
    settledEmpty: number;
    leastLifeMs: number;
    otherWaits: number;
    longestWaitMs: number;
    errors: number;
    ofBrokenProfile: number;
  };
  /** Settled time, summed over the profiles, with less than 20 minutes of life in memory, asked for or not. */
  shortMs: number;
  /** The same with nothing in memory. */
  emptyMs: number;
  grants: {
    /** Without those whose reply was lost. */
    made: number;
    lost: number;
    /** With the policy's refresh point. */
    least: number;
    /** With 20 minutes instead, and knowing the future all the same. */
    leastWithoutMargin: number;
  };
  exchanges: number;
  signIns: number;
  reuses: number;
  concurrent: number;
  broken: string[];
};

export function judge(record: WeekRecord): Verdict {
  const times = timesOf(record);
  const { provider, aws, counts } = record.internet;
  const requests = record.requests.filter(
    ({ profile, error }) => HEALTHY.includes(profile) && error !== ABANDONED,
  );
  const settled = requests.filter(({ at }) => within(times.settled, at));
  const waits = requests.filter(({ waitedMs }) => waitedMs > 0);
  const lacks = HEALTHY.map((profile) => lackOf(record, times, profile));
  return {
    seed: record.seed,
    awakeHours: lengthMs(record.awake) / HOUR,
    settledHours: lengthMs(times.settled) / HOUR,
    wakeUps: record.awake.length,
    requests: {
      all: requests.length,
      settled: settled.length,
      settledWaits: waits.filter((request) => settled.includes(request) && hadSome(request)).length,
      settledEmpty: settled.filter((request) => !hadSome(request)).length,
      leastLifeMs: Math.min(HOUR, ...settled.map(({ lifeMs }) => lifeMs ?? 0)),
      otherWaits: waits.filter((request) => !settled.includes(request)).length,
      longestWaitMs: Math.max(0, ...waits.map(({ waitedMs }) => waitedMs)),
      errors: requests.filter(({ error }) => error).length,
      ofBrokenProfile: record.requests.filter(({ profile }) => profile === 'Broken').length,
    },
    shortMs: lengthMs(lacks.flatMap(({ short }) => short)),
    emptyMs: lengthMs(lacks.flatMap(({ empty }) => empty)),
    grants: grantsOf(record, times),
    exchanges: aws.counts.exchanges,
    signIns: counts.signInPages,
    reuses: provider.counts.reuses,
    concurrent: counts.concurrent,
    broken: [
      ...requests.flatMap((request) => brokenFor(request, times)),
      ...lacks.flatMap(brokenByLack),
      ...brokenByWeek(record, times),
    ],
  };
}

type Times = ReturnType<typeof timesOf>;

function timesOf({ plan, awake, daemonDown, clockChanges, starts, internet }: WeekRecord) {
  const beforeFirstStart = { from: plan.week.from, to: starts[0]?.at ?? plan.week.to };
  const running = without(awake, [...daemonDown, beforeFirstStart]);
  const awsReachable = without(running, [...plan.linkFaults, ...plan.throttling]);
  const reachable = without(awsReachable, internet.maintenance);
  return {
    awsReachable,
    settled: after(SETTLING_MS, splitAt(reachable, clockChanges)),
    // A clock that was set ahead looks like a sleep, and what is in memory as if it had run out in it: no
    // clock of the machine tells the two apart, the next two replies do.
    clockInDoubt: clockChanges.map((at) => ({ from: at, to: at + SETTLING_MS })),
  };
}

function hadSome({ heldMs }: RequestRecord): boolean {
  return heldMs > USABLE_MS;
}

type Lack = { profile: ProfileName; short: Interval[]; empty: Interval[] };

/** Settled times in which a profile had too little life in memory, or nothing. */
function lackOf({ plan, internet }: WeekRecord, { settled }: Times, profile: ProfileName): Lack {
  const changes = internet.given.filter((change) => change.profile === profile);
  const withMoreThan = (lifeMs: number): Interval[] =>
    changes
      .map(({ at, expiresAt }, index) => ({
        from: at,
        to: Math.min(expiresAt - lifeMs, changes[index + 1]?.at ?? plan.week.to),
      }))
      .filter(({ from, to }) => from < to);
  const empty = without(settled, withMoreThan(USABLE_MS));
  return { profile, empty, short: without(without(settled, withMoreThan(LEAST_LIFE_MS)), empty) };
}

function grantsOf({ plan, starts, internet }: WeekRecord, times: Times): Verdict['grants'] {
  const least = (renewWithMs: (jitter: number) => number): number =>
    leastGrants(
      starts.map(({ at, jitters }, index) => ({
        life: { from: at, to: starts[index + 1]?.at ?? plan.week.to },
        needed: times.settled,
        awsReachable: times.awsReachable,
        // One session serves both profiles, and the one that renews earlier decides.
        renewWithMs: renewWithMs(Math.max(...HEALTHY.map((name) => jitters[name]))),
      })),
    );
  const lost = internet.counts.lostRotations;
  return {
    made: internet.provider.counts.grants - lost,
    lost,
    least: least((jitter) => RENEWED_WITH_MS + jitter * JITTER_MS),
    leastWithoutMargin: least(() => LEAST_LIFE_MS),
  };
}

function brokenFor(request: RequestRecord, times: Times): string[] {
  const { at, profile, heldMs, waitedMs, lifeMs, sdkLifeMs, error } = request;
  const settled = within(times.settled, at);
  const found: string[] = [];
  const promise = (kept: boolean, what: string): void => {
    if (!kept) found.push(`${iso(at)} ${profile}, ${minutes(heldMs)} in memory: ${what}`);
  };
  const some = hadSome(request) && !within(times.clockInDoubt, at);
  promise(!settled || !some || waitedMs === 0, `waited ${waitedMs} ms in a settled moment`);
  promise(!settled || (lifeMs ?? 0) >= LEAST_LIFE_MS, `got ${minutes(lifeMs)} in a settled moment`);
  const toldWrongBy = Math.abs((sdkLifeMs ?? 0) - (lifeMs ?? 0));
  promise(!settled || toldWrongBy <= TOLD_LIFE_MS, `was told ${minutes(sdkLifeMs)}, got ${minutes(lifeMs)}`);
  promise(!some || waitedMs <= STALE_WAIT_MS, `waited ${waitedMs} ms`);
  promise(!some || error === undefined, `got ${error}`);
  promise(error !== 'ERR_LOGIN_REQUIRED', 'was asked to sign in');
  return found;
}

function brokenByLack({ profile, short, empty }: Lack): string[] {
  const seconds = ({ from, to }: Interval): string => `${Math.round((to - from) / SECOND)} s`;
  return [
    ...short.map((time) => `${iso(time.from)} ${profile}: under 20 min in memory for ${seconds(time)}`),
    ...empty
      .filter(({ from, to }) => to - from > LAST_BACK_OFF_MS)
      .map((time) => `${iso(time.from)} ${profile}: nothing in memory for ${seconds(time)}`),
  ];
}

function brokenByWeek(record: WeekRecord, times: Times): string[] {
  const { internet, lostSessions } = record;
  const { reuses, refused } = internet.provider.counts;
  const { made, least } = grantsOf(record, times);
  const none: [number, string][] = [
    [internet.counts.signInPages, 'sign-in pages'],
    [reuses, 'uses of a refresh token after its grace'],
    [refused, 'refused refresh grants'],
    [internet.counts.concurrent, 'uses of a refresh token during another'],
  ];
  return [
    ...lostSessions.map((at) => `${iso(at)} the session is lost`),
    ...none.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])),
    ...(made > MOST_GRANTS * least ? [`${made} refresh grants where ${least} would do`] : []),
  ];
}

function minutes(ms: number | undefined): string {
  return ms === undefined ? 'nothing' : `${(ms / MINUTE).toFixed(1)} min`;
}

/** True time. */
function iso(at: number): string {
  return new Date(at).toISOString().slice(0, 19);
}
