/**
 * Everything behind the daemon's `fetch`: the way to the network with its faults, the provider, AWS, and a
 * provider that is broken all week. Every call takes simulated time, so that an answer that comes in the very
 * moment of its request cannot have waited for one.
 *
 * What no client can survive is not in the week: a refresh token that was rotated, and whose reply is lost for
 * longer than the provider's grace. A reply that was lost can be asked for again at once ({@link Internet.calm}),
 * and the laptop does not fall asleep while a refresh token is being spent.
 */
import { Response } from 'undici';
import { TIMING } from '../../daemon/timing.ts';
import type { Fetch } from '../../network/transport.ts';
import type { SigningKey } from '../../sandbox/provider/signing-keys.ts';
import type { Random } from '../support/random.ts';
import { type Aws, openAws } from './aws.ts';
import { BROKEN_ISSUER, brokenProvider, failingLink, failure, json, never, type Reply } from './faults.ts';
import { contains, type Interval, within } from './intervals.ts';
import { MINUTE, PROFILES, type ProfileName, SECOND, type WeekPlan } from './plan.ts';
import { ISSUER, openProvider, type Provider } from './provider.ts';
import type { SimulatedTime } from './simulated-time.ts';

export type Internet = {
  provider: Provider;
  aws: Aws;
  /** @param onReply told the moment a reply says it was made, as the daemon's network does. */
  outlet(onReply: (repliedAt: number) => void): Outlet;
  /** True expiry of the credentials that a profile's daemon was last given; 0 without any. */
  held(profile: ProfileName): number;
  /** Every change of that. */
  readonly given: { profile: ProfileName; at: number; expiresAt: number }[];
  /** A use of the refresh token has begun and has no end yet. */
  spending(): boolean;
  /** For the next minute nothing gets into the way of asking again for a reply that was lost. */
  calm(): boolean;
  /** Called once a refresh token was rotated, before the reply is on its way. */
  onRotation: () => void;
  /** When the provider was down in fact: one of its outages waits for a refresh. */
  readonly maintenance: Interval[];
  readonly counts: {
    calls: number;
    /** Rotations whose reply never arrived: each costs another, whoever asks. */
    lostRotations: number;
    /** Uses of the refresh token that began before another had ended. */
    concurrent: number;
    signInPages: number;
  };
};

/** One daemon's network access; a daemon that was killed gets no reply any more. */
export type Outlet = { fetch: Fetch; cut(): void };

type Request = { url: URL; headers: Headers; body: string };

export function openInternet(
  plan: WeekPlan,
  time: SimulatedTime,
  random: Random,
  keys: readonly SigningKey[],
): Internet {
  const provider = openProvider(time.now, keys);
  const aws = openAws(time.now, provider, () => within(plan.throttling, time.now()));
  const maintenance = [...plan.maintenance];
  const lostReplies = [...plan.lostReplies];
  const given: Internet['given'] = [];
  const counts = { calls: 0, lostRotations: 0, concurrent: 0, signInPages: 0 };
  let atRefresh: WeekPlan['maintenanceAtRefresh'] | undefined = plan.maintenanceAtRefresh;
  let spendings = 0;

  const askProvider = async ({ url, body }: Request): Promise<Reply> => {
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

  const oneWay = (): Promise<void> => {
    const slow = within(plan.slow, time.now()) ? random.between(1, 6) * SECOND : 0;
    return time.wait(random.between(15, 120) + slow);
  };

  /** One call from its first packet to its last; throws what undici's fetch throws. */
  const carry = async (request: Request, cutOff: () => boolean): Promise<Reply> => {
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
    if (provider.counts.grants > before) await bringBack(cutOff);
    else await oneWay();
    return reply;
  };

  /** The way back of the reply to a rotation, which gets lost when the plan says so or its daemon is killed. */
  const bringBack = async (cutOff: () => boolean): Promise<void> => {
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

  const outlet: Internet['outlet'] = (onReply) => {
    let off = false;
    let open = 0;
    const fetch = async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
      if (off) return never();
      const url = new URL(input);
      const spends = url.href === `${ISSUER}/token`;
      counts.calls += 1;
      if (spends) {
        if (spendings > 0) counts.concurrent += 1;
        spendings += 1;
        open += 1;
      }
      const request = { url, headers: new Headers(init.headers), body: textOf(init.body) };
      const signal = init.signal ?? AbortSignal.timeout(TIMING.callMs);
      const end = await Promise.race([carry(request, () => off), aborted(signal)])
        .then((reply) => ({ reply }))
        .catch((error: unknown) => ({ error }));
      if (off) return never();
      if (spends) {
        spendings -= 1;
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
        spendings -= open;
        for (const profile of PROFILES) given.push({ profile, at: time.now(), expiresAt: 0 });
      },
    };
  };

  const internet: Internet = {
    provider,
    aws,
    outlet,
    counts,
    maintenance,
    given,
    held: (profile) => given.findLast((change) => change.profile === profile)?.expiresAt ?? 0,
    spending: () => spendings > 0,
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
  return internet;
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
