/** One week of a laptop, from Monday 00:00 to Sunday 24:00, lived through by the daemon's real core. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../daemon/platform/log.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { createSigningKey } from '../../sandbox/provider/signing-keys.ts';
import { seededRandom } from '../support/random.ts';
import { type Core, type CoreWorld, prepare, startCore } from './core.ts';
import { createInternet, type Internet } from './internet.ts';
import type { Interval } from './intervals.ts';
import { type ProfileName, planWeek, SECOND, type WeekPlan } from './plan.ts';
import { simulateTime } from './simulated-time.ts';

/** One request of one caller; times are true times. */
export type RequestRecord = {
  profile: ProfileName;
  at: number;
  /** Time left of the credentials in the memory of the daemon at the request. */
  heldMs: number;
  /** Time the caller waited; 0: the answer came in the same instant. */
  waitedMs: number;
  /** Time for which AWS will accept the credentials of the answer. */
  lifeMs: number | undefined;
  /** The same as an SDK works it out, from the answer's Expiration and this computer's clock. */
  sdkLifeMs: number | undefined;
  /** A code, or {@link ABANDONED}. */
  error: string | undefined;
};

/** The daemon ended before it could answer. */
export const ABANDONED = 'abandoned';

export type WeekRecord = {
  seed: number;
  plan: WeekPlan;
  /** Intervals in which the laptop was really awake. */
  awake: Interval[];
  starts: { at: number; jitters: Core['jitters'] }[];
  /** From the end of one daemon to the start of the next. */
  daemonDown: Interval[];
  clockChanges: number[];
  requests: RequestRecord[];
  /** Moments at which the session was found lost. */
  lostSessions: number[];
  internet: Pick<Internet, 'provider' | 'aws' | 'counts' | 'maintenance' | 'given'>;
};

/** @param onLog told each line of the daemon's log, with the true time before it. */
export async function liveWeek(seed: number, onLog: (line: string) => void = () => {}): Promise<WeekRecord> {
  const random = seededRandom(seed);
  const plan = planWeek(random.fork());
  const keys = await Promise.all(Array.from({ length: plan.keyRotations.length + 1 }, createSigningKey));
  const time = simulateTime(plan.week.from, plan.wallErrorMs);
  const internet = createInternet(plan, time, random.fork(), keys);
  const directory = mkdtempSync(join(tmpdir(), 'ccwb-week-'));
  const log: Log = (level, event, fields = {}) =>
    onLog(`${new Date(time.now()).toISOString()} ${level} ${event} ${JSON.stringify(fields)}`);
  const world: CoreWorld = { directory, time, internet, random: random.fork(), log };
  try {
    await prepare(world);
    return await live(seed, plan, world);
  } finally {
    rmSync(directory, { recursive: true, force: true });
    time.end();
  }
}

async function live(seed: number, plan: WeekPlan, world: CoreWorld): Promise<WeekRecord> {
  const { time, internet } = world;
  const record: WeekRecord = {
    seed,
    plan,
    awake: [],
    starts: [],
    daemonDown: [],
    clockChanges: [],
    requests: [],
    lostSessions: [],
    internet,
  };
  const laptop = createLaptop(record, world);
  const happenings = timetable(plan, laptop);
  for (const { from, to } of plan.awake) {
    time.sleepUntil(from);
    const wokeAt = time.now();
    if (!laptop.core()) laptop.start();
    while ((happenings[0]?.at ?? Number.POSITIVE_INFINITY) < to) {
      const next = happenings.shift();
      if (next) time.at(next.at, next.happen);
    }
    time.at(to, () => {});
    await time.runUntil(() => time.now() >= to && laptop.core() !== undefined && !internet.spending());
    record.awake.push({ from: wokeAt, to: time.now() });
    if (!laptop.core()?.signedIn('ClaudeCode')) record.lostSessions.push(time.now());
  }
  let over = false;
  void laptop
    .core()
    ?.stop()
    .finally(() => {
      over = true;
    });
  await time.runUntil(() => over);
  return record;
}

/** Actions that the plan can schedule. */
type Actions = {
  ask(profile: ProfileName): Promise<void>;
  setClock(byMs: number): void;
  rotateKeys(): void;
  restart(kind: WeekPlan['restarts'][number]['kind']): void;
};

type Happening = { at: number; happen(): void };

/** In order. What falls into a sleep happens at the wake-up. */
function timetable(plan: WeekPlan, actions: Actions): Happening[] {
  return [
    ...plan.requests.map(({ at, profile, count }) => ({
      at,
      happen: () => {
        for (let caller = 0; caller < count; caller += 1) void actions.ask(profile);
      },
    })),
    ...plan.clockChanges.map(({ at, byMs }) => ({ at, happen: () => actions.setClock(byMs) })),
    ...plan.keyRotations.map((at) => ({ at, happen: actions.rotateKeys })),
    ...plan.restarts.map(({ after, kind }) => ({ at: after, happen: () => actions.restart(kind) })),
    ...plan.timeZones.map(({ at, zone }) => ({
      at,
      happen: () => {
        process.env.TZ = zone;
      },
    })),
  ].sort((a, b) => a.at - b.at);
}

/** The laptop with its daemon, and what is done to them. */
function createLaptop(record: WeekRecord, world: CoreWorld) {
  const { time, internet, random } = world;
  let core: Core | undefined;
  const open = new Set<RequestRecord>();

  const start = (): void => {
    core = startCore(world);
    record.starts.push({ at: time.now(), jitters: core.jitters });
  };

  const end = async (how: 'stop' | 'kill'): Promise<void> => {
    const ending = core;
    const from = time.now();
    core = undefined;
    await ending?.[how]();
    for (const request of open) request.error = ABANDONED;
    open.clear();
    await time.wait(random.between(1, 6) * SECOND);
    start();
    record.daemonDown.push({ from, to: time.now() });
  };

  const ask = async (profile: ProfileName): Promise<void> => {
    if (!core) return;
    const at = time.now();
    const request: RequestRecord = {
      profile,
      at,
      heldMs: Math.max(0, internet.held(profile) - at),
      waitedMs: Number.POSITIVE_INFINITY,
      lifeMs: undefined,
      sdkLifeMs: undefined,
      error: undefined,
    };
    record.requests.push(request);
    open.add(request);
    try {
      const { AccessKeyId, Expiration } = await core.ask(profile);
      request.lifeMs = (internet.aws.expiryOf(profile, AccessKeyId) ?? 0) - time.now();
      request.sdkLifeMs = Date.parse(Expiration) - Date.now();
    } catch (error) {
      request.error = error instanceof CcwbError ? error.code : String(error);
    }
    open.delete(request);
    request.waitedMs = time.now() - at;
  };

  return {
    core: () => core,
    start,
    ask,
    setClock: (byMs: number): void => {
      record.clockChanges.push(time.now());
      time.setWallClock(byMs);
    },
    rotateKeys: internet.provider.rotateKeys,
    restart: (kind: WeekPlan['restarts'][number]['kind']): void => {
      if (kind !== 'kill in refresh') return void end(kind);
      internet.onRotation = () => {
        if (!internet.calm()) return;
        internet.onRotation = () => {};
        void end('kill');
      };
    },
  };
}
