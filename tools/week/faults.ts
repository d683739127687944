/** Failures of a request before it reaches the provider or AWS, and a provider that never works. */
import { TIMING } from '../../daemon/timing.ts';
import type { Random } from '../support/random.ts';
import { HOUR, type LinkFault } from './plan.ts';
import { discovery } from './provider.ts';
import type { SimulatedTime } from './simulated-time.ts';

export type Reply = { status: number; body: string; headers?: Record<string, string> };

export const BROKEN_ISSUER = 'https://broken.example.net';

/** The error of a fetch, as undici throws it. */
export function failure(code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}

export function never(): Promise<never> {
  return new Promise(() => {});
}

export function json(status: number, body: unknown): Reply {
  return { status, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

/** Answers a request, or fails it, while the network has this fault. */
export async function failingLink(kind: LinkFault, time: SimulatedTime, random: Random): Promise<Reply> {
  switch (kind) {
    case 'gone':
      await time.wait(random.between(1, 5));
      throw failure('ENETUNREACH');
    case 'dns':
      await time.wait(random.between(1, 3_000));
      throw failure(random.pick(['ENOTFOUND', 'EAI_AGAIN']));
    case 'black hole':
      await time.wait(TIMING.connectMs);
      throw failure('UND_ERR_CONNECT_TIMEOUT');
    case 'portal':
      await time.wait(random.between(20, 200));
      return portalPage();
  }
}

/** A provider that is broken all week, in another way every three hours. */
export async function brokenProvider(path: string, now: number): Promise<Reply> {
  const ways = ['silent', 'status', 'html', 'token', 'refused'] as const;
  switch (ways[Math.floor(now / (3 * HOUR)) % ways.length]) {
    case 'refused':
      throw failure('ECONNREFUSED');
    case 'html':
      return portalPage();
    case 'status':
      return { status: 500, body: 'internal error' };
    case 'token':
      return path === '/token' ? never() : json(200, discovery(BROKEN_ISSUER));
    default:
      return never();
  }
}

function portalPage(): Reply {
  return {
    status: 200,
    body: '<!doctype html><title>Welcome to the hotel</title><p>Accept the terms to go online.</p>\n',
    headers: { 'content-type': 'text/html; charset=utf-8' },
  };
}
