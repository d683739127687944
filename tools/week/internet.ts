/**
 * Everything behind the daemon's `fetch`: the network with its faults, the provider, AWS, and a provider that is
 * broken all week. Every call takes simulated time: an answer in the instant of its request made no call.
 *
 * One failure is left out, since no client survives it: the reply to a rotation is lost for longer than the
 * provider's grace. A client can ask for a lost reply again at once ({@link Internet.calm}). The laptop does not
 * fall asleep while a refresh token is in use.
 */
import { Response } from 'undici';
import { TIMING } from '../../daemon/timing.ts';
import type { Fetch } from '../../network/transport.ts';
import type { SigningKey } from '../../sandbox/provider/signing-keys.ts';
import type { Random } from '../support/random.ts';
import { type Aws, createAws } from './aws.ts';
import { BROKEN_ISSUER, brokenProvider, failingLink, failure, json, never, type Reply } from './faults.ts';
import { contains, type Interval, within } from './intervals.ts';
import { MINUTE, PROFILES, type ProfileName, SECOND, type WeekPlan } from './plan.ts';
import { createProvider, ISSUER, type Provider } from './provider.ts';
import type { SimulatedTime } from './simulated-time.ts';

export type Internet = {
  provider: Provider;
  aws: Aws;
  /** @param onReply receives the time in the Date header of each reply. */
  outlet(onReply: (repliedAt: number) => void): Outlet;
  /** True expiry of the credentials that a profile's daemon was last given; 0 without any. */
  held(profile: ProfileName): number;
  /** Every change of {@link Internet.held}. */
  readonly given: { profile: ProfileName; at: number; expiresAt: number }[];
  /** True while a refresh token is in use. */
  spending(): boolean;
  /** True if nothing prevents a retry in the next minute. */
  calm(): boolean;
  /** Called once a refresh token was rotated, before the reply is on its way. */
  onRotation: () => void;
  /** Intervals in which the provider was really down: one of its outages waits for a refresh. */
  readonly maintenance: Interval[];
  readonly counts: {
    calls: number;
    /** Rotations whose reply never arrived: each costs another rotation. */
    lostRotations: number;
    /** Uses of the refresh token that began before another had ended. */
    concurrent: number;
    signInPages: number;
  };
};

/** One daemon's network access; a daemon that was killed gets no reply any more. */
export type Outlet = { fetch: Fetch; cut(): void };

type Request = { url: URL; headers: Headers; body: string };

/** Makes one call from its first packet to its last; throws what undici's fetch throws. */
type Carry = (request: Request, cutOff: () => boolean) => Promise<Reply>;

export function createInternet(
  plan: WeekPlan,
  time: SimulatedTime,
  random: Random,
  keys: readonly SigningKey[],
): Internet {
  const provider = createProvider(time.now, keys);
  const maintenance = [...plan.maintenance];
  const given: Internet['given'] = [];
  const refreshes = { open: 0 };
  const internet: Internet = {
    provider,
    aws: createAws(time.now, provider, () => within(plan.throttling, time.now())),
    outlet: (onReply) => createOutlet(carry, internet, time, refreshes, onReply),
    counts: { calls: 0, lostRotations: 0, concurrent: 0, signInPages: 0 },
    maintenance,
    given,
    held: (profile) => given.findLast((change) => change.profile === profile)?.expiresAt ?? 0,
    spending: () => refreshes.open > 0,
    calm: () => {
      const soon = { from: time.now(), to: time.now() + MINUTE };
      const awake = plan.awake.some(({ from, to }) => from <= soon.from && soon.to < to);
      return (
        awake &&
        ![...plan.linkFaults, ...maintenance].some(({ from, to }) => from < soon.to && soon.from < to)
      );
    },
    onRotation: () => {},
  };
  const carry = createCarrier(internet, plan, time, random);
  return internet;
}

/** Creates the endpoints of the provider, which is down during maintenance. */
function createEndpoints(
  { provider, maintenance, counts }: Internet,
  plan: WeekPlan,
  time: SimulatedTime,
): (request: Request) => Promise<Reply> {
  let atRefresh: WeekPlan['maintenanceAtRefresh'] | undefined = plan.maintenanceAtRefresh;
  return async ({ url, body }) => {
    const now = time.now();
    if (url.pathname === '/token' && atRefresh && now >= atRefresh.after) {
      maintenance.push({ from: now, to: now + atRefresh.lastsMs });
      atRefresh = undefined;
    }
    if (within(maintenance, now)) return { status: 503, body: 'down for maintenance' };
    if (url.pathname === '/authorize') counts.signInPages += 1;
    if (url.pathname === '/jwks') return json(200, provider.jwks());
    if (url.pathname !== '/token') return json(200, provider.discovery());
    const { status, body: answer } = await provider.token(new URLSearchParams(body));
    return json(status, answer);
  };
}

/** Creates the network between the daemon and its servers: delays, faults and lost replies. */
function createCarrier(internet: Internet, plan: WeekPlan, time: SimulatedTime, random: Random): Carry {
  const { provider, aws, given, counts } = internet;
  const askProvider = createEndpoints(internet, plan, time);
  const lostReplies = [...plan.lostReplies];

  const oneWay = (): Promise<void> => {
    const slow = within(plan.slow, time.now()) ? random.between(1, 6) * SECOND : 0;
    return time.wait(random.between(15, 120) + slow);
  };

  /** Returns the reply to a rotation. It is lost if the plan says so or its daemon is killed. */
  const returnRotation = async (cutOff: () => boolean): Promise<void> => {
    internet.onRotation();
    const next = lostReplies[0];
    const lost = !cutOff() && next && time.now() >= next.after && internet.calm();
    if (lost) {
      lostReplies.shift();
      counts.lostRotations += 1;
      await time.wait(random.between(15, 120));
      if (next.how === 'cut') throw failure('ECONNRESET');
      await never();
    }
    await oneWay();
    if (cutOff()) counts.lostRotations += 1;
  };

  const noteCredentials = (profile: ProfileName, reply: Reply): void => {
    const { Credentials } = JSON.parse(reply.body) as { Credentials?: { Expiration: number } };
    if (Credentials) given.push({ profile, at: time.now(), expiresAt: Credentials.Expiration * 1000 });
  };

  return async (request, cutOff) => {
    const down = plan.linkFaults.find((fault) => contains(fault, time.now()));
    if (down) return failingLink(down.kind, time, random);
    await oneWay();
    const { url, headers, body } = request;
    if (url.origin === BROKEN_ISSUER) return brokenProvider(url.pathname, time.now());
    const profile = aws.profileAt(url);
    if (profile) {
      const reply = await aws.ask(profile, headers, body);
      await oneWay();
      if (!cutOff()) noteCredentials(profile, reply);
      return reply;
    }
    const before = provider.counts.grants;
    const reply = await askProvider(request);
    if (provider.counts.grants > before) await returnRotation(cutOff);
    else await oneWay();
    return reply;
  };
}

/** @param refreshes uses of the refresh token in progress, by all outlets. */
function createOutlet(
  carry: Carry,
  { counts, given }: Internet,
  time: SimulatedTime,
  refreshes: { open: number },
  onReply: (repliedAt: number) => void,
): Outlet {
  let off = false;
  let open = 0;
  const fetch = async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    if (off) return never();
    const url = new URL(input);
    const spends = url.href === `${ISSUER}/token`;
    counts.calls += 1;
    if (spends) {
      if (refreshes.open > 0) counts.concurrent += 1;
      refreshes.open += 1;
      open += 1;
    }
    const request = { url, headers: new Headers(init.headers), body: textOf(init.body) };
    const signal = init.signal ?? AbortSignal.timeout(TIMING.callMs);
    const end = await Promise.race([carry(request, () => off), aborted(signal)])
      .then((reply) => ({ reply }))
      .catch((error: unknown) => ({ error }));
    if (off) return never();
    if (spends) {
      refreshes.open -= 1;
      open -= 1;
    }
    if ('error' in end) throw end.error;
    onReply(time.now() - (time.now() % SECOND));
    const { status, body, headers } = end.reply;
    return new Response(body, { status, headers: headers ?? { 'content-type': 'text/plain' } });
  };
  return {
    fetch: fetch as unknown as Fetch,
    cut: () => {
      off = true;
      refreshes.open -= open;
      for (const profile of PROFILES) given.push({ profile, at: time.now(), expiresAt: 0 });
    },
  };
}

function textOf(body: RequestInit['body']): string {
  // The AWS SDK's bytes object to being treated as a string.
  if (body instanceof Uint8Array)
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  return String(body ?? '');
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
