import type { AuditLog, Disclosure } from '../../daemon/api/audit-log.ts';
import type { CorrectedClock } from '../../daemon/platform/clock.ts';
import type { Log, LogFields, LogLevel } from '../../daemon/platform/log.ts';
import type { LockCredential } from '../../daemon/session/credential-lock.ts';
import type { LegacyTokens } from '../../daemon/session/legacy-tokens.ts';
import type { NetworkStatus } from '../../protocol/api.ts';

/** A wall clock that moves only when a test moves it. */
export type FakeClock = CorrectedClock & { advance(ms: number): void; set(epochMs: number): void };

export function fakeClock(startMs: number = Date.UTC(2026, 0, 2, 3, 4, 5)): FakeClock {
  let now = startMs;
  return {
    ...exactClock(() => now),
    advance: (ms) => {
      now += ms;
    },
    set: (epochMs) => {
      now = epochMs;
    },
  };
}

/** The machine's clock, for tests that wait for real. */
export const realClock: CorrectedClock = exactClock(Date.now);

/** A clock without skew; it ignores what it observes. */
export function exactClock(now: () => number): CorrectedClock {
  return { now, skewMs: () => 0, inDoubt: () => false, local: (epochMs) => epochMs, observe: () => {} };
}

/** Locks of a machine with one daemon. */
export const noLocks: LockCredential = async () => () => {};

export type RecordedLine = { level: LogLevel; event: string; fields: LogFields };

/** A log that keeps its lines. */
export function memoryLog(): { log: Log; lines: RecordedLine[]; events(): string[] } {
  const lines: RecordedLine[] = [];
  return {
    log: (level, event, fields = {}) => {
      lines.push({ level, event, fields });
    },
    lines,
    events: () => lines.map(({ event }) => event),
  };
}

/** An audit log that keeps what is recorded. */
export function memoryAudit(): AuditLog & { readonly records: Disclosure[] } {
  const records: Disclosure[] = [];
  return {
    records,
    record: (disclosure) => {
      records.push(disclosure);
    },
    settled: async () => {},
  };
}

/** A promise and the way to settle it, to hold a call where a test wants it. */
export type Gate<T> = { promise: Promise<T>; open(value: T): void; fail(error: unknown): void };

export function gate<T = void>(): Gate<T> {
  let open = (_: T): void => {};
  let fail = (_: unknown): void => {};
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  // A test may reject it before anyone waits for it.
  promise.catch(() => {});
  return { promise, open, fail };
}

/** Waits until everything that is ready to run has run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Returns the error a promise was rejected with; undefined if it was fulfilled. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The code of the error a promise was rejected with, or what happened instead. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await rejection(promise);
  if (error === undefined) return 'no error';
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** A network status without a proxy. */
export const noProxy = (): NetworkStatus => ({ proxy: null, certificates: [] });

/** A home without tokens of the legacy tool. */
export const noLegacyTokens: LegacyTokens = { refreshToken: async () => undefined, remove: async () => {} };
