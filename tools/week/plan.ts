/** The timetable of one week of a laptop and of the world around it, drawn from a seed. */

import type { Random } from '../support/random.ts';
import { type Interval, without } from './intervals.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Monday 00:00 of a week that ends with a change from summer to winter time. */
const MONDAY = Date.UTC(2026, 9, 19);

/** Kinds of network failure. */
export type LinkFault = 'gone' | 'dns' | 'black hole' | 'portal';

/** The profiles of config.json: two share a session, one has a provider that is broken all week. */
export const PROFILES = ['ClaudeCode', 'Research', 'Broken'] as const;
export type ProfileName = (typeof PROFILES)[number];
export const HEALTHY: readonly ProfileName[] = ['ClaudeCode', 'Research'];

export type WeekPlan = {
  week: Interval;
  /** By how much the computer's clock is ahead at first, until NTP sets it right. */
  wallErrorMs: number;
  /** In between the lid is closed. */
  awake: readonly Interval[];
  linkFaults: readonly (Interval & { kind: LinkFault })[];
  /** The provider answers 503. */
  maintenance: readonly Interval[];
  /** The same once more, from the first refresh after this moment on, between its first request and its second. */
  maintenanceAtRefresh: { after: number; lastsMs: number };
  /** AWS refuses with TooManyRequestsException. */
  throttling: readonly Interval[];
  /** Provider and AWS take seconds to answer. */
  slow: readonly Interval[];
  /** The first rotation after this moment takes place, and its reply never arrives. */
  lostReplies: readonly { after: number; how: 'cut' | 'silence' }[];
  clockChanges: readonly { at: number; byMs: number }[];
  timeZones: readonly { at: number; zone: string }[];
  keyRotations: readonly number[];
  /** `kill in refresh`: after the provider has rotated, before the reply is there. */
  restarts: readonly { after: number; kind: 'stop' | 'kill' | 'kill in refresh' }[];
  requests: readonly { at: number; profile: ProfileName; count: number }[];
};

export function planWeek(random: Random): WeekPlan {
  const week = { from: MONDAY, to: MONDAY + 7 * DAY };
  const office = [0, 1, 2, 3, 4].flatMap((day) => officeDay(MONDAY + day * DAY, random));
  const awake = [...office, ...weekend(MONDAY + 5 * DAY, random)];
  /** Some waking moment in the office hours of that day. */
  const during = (day: number): number => {
    const parts = office.filter(({ from }) => Math.floor((from - MONDAY) / DAY) === day);
    const { from, to } = parts[random.whole(0, parts.length - 1)] ?? week;
    return Math.round(random.between(from, to));
  };
  const lasting = (from: number, shortest: number, longest: number): Interval => ({
    from,
    to: from + Math.round(random.between(shortest, longest)),
  });
  const clock = clockTrouble(during, random);
  const [stopDay, killDay] = random.chance(0.5) ? [2, 4] : [4, 2];
  return {
    week,
    awake,
    ...clock,
    linkFaults: linkFaults(awake, during, random),
    maintenance: [lasting(during(random.whole(0, 2)), 20 * MINUTE, 40 * MINUTE)],
    maintenanceAtRefresh: {
      after: during(3),
      lastsMs: Math.round(random.between(20 * MINUTE, 40 * MINUTE)),
    },
    throttling: [lasting(during(0), 3 * MINUTE, 8 * MINUTE), lasting(during(3), 3 * MINUTE, 8 * MINUTE)],
    slow: [lasting(during(1), 10 * MINUTE, 25 * MINUTE), lasting(during(4), 10 * MINUTE, 25 * MINUTE)],
    lostReplies: [
      { after: during(0), how: 'cut' },
      { after: during(2), how: 'silence' },
      { after: during(4), how: random.pick(['cut', 'silence']) },
    ],
    keyRotations: [during(1), during(4)],
    restarts: [
      { after: during(stopDay), kind: 'stop' as const },
      { after: during(killDay), kind: random.pick(['kill', 'kill in refresh'] as const) },
    ].sort((a, b) => a.after - b.after),
    requests: requests(office, awake, random),
  };
}

/** Waking times of one day in the office: the lid is closed for lunch and for meetings. */
function officeDay(midnight: number, random: Random): Interval[] {
  const at = (hour: number, spreadHours: number): number =>
    Math.round(midnight + (hour + random.between(-spreadHours, spreadHours)) * HOUR);
  const closed = (from: number, shortest: number, longest: number): Interval => ({
    from,
    to: from + Math.round(random.between(shortest, longest) * MINUTE),
  });
  const day = { from: at(8.5, 0.5), to: at(17.75, 0.75) };
  const meetings = Array.from({ length: random.whole(1, 4) }, () => closed(at(13.25, 4), 3, 40));
  const evening = random.chance(0.3) ? [closed(at(21, 0.5), 20, 70)] : [];
  return [...without([day], [closed(at(12.25, 0.25), 25, 75), ...meetings]), ...evening]
    .filter(({ from, to }) => to - from > MINUTE)
    .sort((a, b) => a.from - b.from);
}

/** A few short looks at something; one of them late at night, when summer time ends. */
function weekend(saturday: number, random: Random): Interval[] {
  const looks = Array.from({ length: random.whole(2, 4) }, (_, index) => {
    const from = Math.round(saturday + (9 + index * 9 + random.between(0, 6)) * HOUR);
    return { from, to: from + Math.round(random.between(2, 25) * MINUTE) };
  });
  const night = { from: saturday + DAY + 40 * MINUTE, to: saturday + DAY + 80 * MINUTE };
  return [night, ...without(looks, [{ from: night.from - HOUR, to: night.to + HOUR }])].sort(
    (a, b) => a.from - b.from,
  );
}

function linkFaults(
  awake: readonly Interval[],
  during: (day: number) => number,
  random: Random,
): WeekPlan['linkFaults'] {
  const fault = (kind: LinkFault, from: number, ms: number) => ({ kind, from, to: from + Math.round(ms) });
  // Wireless networks take a moment to be found again.
  const wakeUps = awake.map(({ from }) =>
    fault(random.pick(['gone', 'dns']), from, random.between(2, 20) * SECOND),
  );
  const moves = awake
    .filter(() => random.chance(0.3))
    .map(({ from }) =>
      fault(random.pick(['gone', 'gone', 'black hole']), from, random.between(0, 10) * MINUTE),
    );
  const portals = awake
    .filter(() => random.chance(0.06))
    .map(({ from }) => fault('portal', from + 5 * SECOND, random.between(1, 8) * MINUTE));
  return [
    ...wakeUps,
    ...moves,
    ...portals,
    fault('portal', during(2), random.between(2, 8) * MINUTE),
    fault('dns', during(1), random.between(1, 5) * MINUTE),
    fault('dns', during(4), random.between(1, 5) * MINUTE),
    fault('black hole', during(3), random.between(1, 4) * MINUTE),
  ];
}

/** The clock is some minutes ahead until NTP notices; a person sets it an hour ahead, and back; a journey. */
function clockTrouble(during: (day: number) => number, random: Random) {
  const wallErrorMs = Math.round(random.between(3, 9) * MINUTE);
  const ahead = during(random.whole(0, 1));
  return {
    wallErrorMs,
    clockChanges: [
      { at: ahead, byMs: HOUR },
      { at: ahead + Math.round(random.between(5, 50) * MINUTE), byMs: -HOUR },
      { at: during(random.whole(2, 4)), byMs: -wallErrorMs },
    ],
    timeZones: [
      { at: MONDAY, zone: 'Europe/Berlin' },
      { at: during(2), zone: 'America/New_York' },
      { at: during(3), zone: 'Europe/Berlin' },
    ],
  };
}

/** Claude Code starts now and then, and asks 13 times at once; other tools ask every few minutes. */
function requests(
  office: readonly Interval[],
  awake: readonly Interval[],
  random: Random,
): WeekPlan['requests'] {
  const found: { at: number; profile: ProfileName; count: number }[] = [];
  const every = (
    profile: ProfileName,
    { from, to }: Interval,
    shortest: number,
    longest: number,
    count = 1,
  ) => {
    for (let at = from; at < to; at += random.between(shortest, longest) * MINUTE)
      found.push({ at: Math.round(at), profile, count });
  };
  for (const interval of awake) {
    const { from, to } = interval;
    // Whoever opens the lid wants something.
    if (random.chance(0.6))
      every('ClaudeCode', { from: from + random.between(1, 20) * SECOND, to }, 1_000, 1_001, 13);
    every('ClaudeCode', { from: from + random.between(0, 8) * MINUTE, to }, 1, 8);
    every('Broken', { from: from + random.between(0, 20) * MINUTE, to }, 10, 30);
    if (!office.includes(interval)) continue;
    every('ClaudeCode', { from: from + random.between(10, 100) * MINUTE, to }, 40, 200, 13);
    every('Research', { from: from + random.between(0, 20) * MINUTE, to }, 5, 20);
  }
  return found.filter(({ at }) => awake.some(({ from, to }) => from < at && at < to));
}
