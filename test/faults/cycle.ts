import type { Test } from 'tap';
import { until } from '../fixtures/until.ts';
import { type Allowed, logText, nothingLost, PROFILE, type Running } from './running.ts';
import type { Findings } from './table.ts';

/**
 * Lifetimes that let a refresh come due every seven seconds: credentials are renewed at half their life, and
 * are given out until five seconds before their end.
 */
export const CREDENTIAL_SECONDS = 14;
/** Not usable any more when credentials come due, so that each cycle spends the refresh token. */
export const ID_TOKEN_SECONDS = 5;

/** Credentials with less life than this are not given out, and a second for what is on its way. */
const UNUSABLE_MS = 6_000;

export type Cycle = {
  inject(running: Running): void | Promise<void>;
  lift(running: Running): void | Promise<void>;
  /** What a caller gets while it lasts and nothing is in memory; absent: credentials. */
  code?: RegExp;
  /** One failure may have been enough to get over it: then a caller gets credentials too. */
  maySucceed?: boolean;
  profile?: string;
  allowed?: Allowed;
};

/**
 * A fault that begins right after a refresh and is noticed by the next one: first there are credentials in
 * memory, then there are none, then the fault is over and the daemon recovers by itself.
 */
export async function cycle(t: Test, findings: Findings, running: Running, fault: Cycle): Promise<void> {
  const { profile = PROFILE } = fault;
  await running.forgetCredentials(profile);
  const first = await until(async () => {
    const answer = await running.ask(profile);
    return answer.ok && answer;
  });
  const before = await running.snapshot();
  const noticed = async (): Promise<boolean> =>
    (await running.logSince(before)).some(({ level, code }) => level !== 'info' && code !== undefined);

  await fault.inject(running);
  let served = 0;
  for (;;) {
    const answer = await running.ask(profile);
    if (answer.ok) served += 1;
    else if (Date.now() < first.expiresAt - UNUSABLE_MS) t.fail(`${answer.code} while there are credentials`);
    if (!answer.ok || (await noticed()) || answer.key !== first.key) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  t.ok(served > 0, 'answered from memory');
  findings.caller('exit 0 from memory');

  await running.forgetCredentials(profile);
  const without = await running.call({ profile });
  findings.caller(`without any ${without.text}`);
  if (fault.code && !(fault.maySucceed && without.status === 0)) {
    t.equal(without.status, 1, 'fails');
    t.match(without.code ?? without.stderr, fault.code);
    t.equal(without.stderr.trimEnd().split('\n').length, 2, 'one line of what is wrong, one of what to do');
    t.equal(without.stdout, '');
  } else t.equal(without.status, 0, without.stderr);

  await fault.lift(running);
  await until(() => running.hasCredentials(profile));
  const after = await running.call({ profile });
  t.equal(after.status, 0, after.stderr);
  findings.caller('afterwards exit 0');
  findings.log(logText(await running.logSince(before)));
  findings.survived(await nothingLost(t, running, before, fault.allowed));
}

export type Pool = (use: (running: Running) => Promise<void>) => Promise<void>;

/** Worlds that several tests use in turn, one test at a time each; one that a test broke is not used again. */
export function pool(size: number, start: () => Promise<Running>): Pool {
  const free: Running[] = [];
  const waiting: (() => void)[] = [];
  let inUse = 0;
  return async (use) => {
    while (inUse >= size) await new Promise<void>((resolve) => waiting.push(resolve));
    inUse += 1;
    try {
      const running = free.pop() ?? (await start());
      await use(running);
      free.push(running);
    } finally {
      inUse -= 1;
      waiting.shift()?.();
    }
  };
}
