/**
 * The time of a simulated computer, for the whole process: `Date`, timers and `performance.now`.
 *
 * Three clocks that a computer keeps apart are kept apart here. True time is what the provider and AWS go by.
 * The monotonic clock, and the timers on it, stand still while the computer sleeps. The wall clock goes on in
 * sleep, and is what a person or NTP sets.
 *
 * fake-timers rather than the mock timers of node:test: its `setSystemTime` moves the wall clock and leaves
 * timers and `performance.now` where they are, which is the very difference all this is about; Node 20's own
 * has no `performance`, and lets no caller run one timer at a time.
 */
import { syncBuiltinESMExports } from 'node:module';
import FakeTimers from '@sinonjs/fake-timers';

export type SimulatedTime = {
  /** True time, milliseconds since the epoch. */
  now(): number;
  /** Somebody, or NTP, sets the clock. */
  setWallClock(byMs: number): void;
  /** The computer sleeps until then. No timer fires; those that wait go on waiting as long as they still had to. */
  sleepUntil(trueMs: number): void;
  /** Resolves after this much waking time. */
  wait(ms: number): Promise<void>;
  /** Calls back at that true time if the computer stays awake until then. */
  at(trueMs: number, action: () => void): void;
  /** Lets waking time pass until the condition holds; looked at after each timer. */
  runUntil(done: () => boolean): Promise<void>;
  /** Runs what takes real time, files or cryptography, one at a time and with simulated time standing still. */
  working<T>(action: () => Promise<T>): Promise<T>;
  /** Gives the process its own time back. */
  end(): void;
};

/** @param startMs true time at the start. @param wallErrorMs by how much the wall clock is ahead of it. */
export function simulateTime(startMs: number, wallErrorMs: number): SimulatedTime {
  const clock = FakeTimers.install({
    now: startMs + wallErrorMs,
    toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  });
  // Modules that imported node:timers/promises have the fake from here on.
  syncBuiltinESMExports();
  const restoreTimeouts = fakeAbortSignalTimeout();

  let sleptMs = 0;
  let underWay = 0;
  let last: Promise<unknown> = Promise.resolve();
  const awakeSince = performance.now();
  const now = (): number => startMs + performance.now() - awakeSince + sleptMs;

  /**
   * Until nothing runs but what waits for simulated time. Whatever takes real time goes through `working`, and
   * the rest are promises, which a turn of the event loop settles.
   */
  const quiet = async (): Promise<void> => {
    for (let idle = 0; idle < 2; ) {
      await new Promise((resolve) => setImmediate(resolve));
      idle = underWay === 0 ? idle + 1 : 0;
    }
  };

  const working = <T>(action: () => Promise<T>): Promise<T> => {
    underWay += 1;
    // In the order they began, so that the same seed gives the same week.
    const result = last.then(action).finally(() => {
      underWay -= 1;
    });
    last = result.catch(() => {});
    return result;
  };
  const restoreCryptography = makeCryptographyWork(working);

  return {
    now,
    setWallClock: (byMs) => clock.setSystemTime(Date.now() + byMs),
    sleepUntil: (trueMs) => {
      const ms = trueMs - now();
      if (ms <= 0) return;
      sleptMs += ms;
      clock.setSystemTime(Date.now() + ms);
    },
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    at: (trueMs, action) => void setTimeout(action, Math.max(0, trueMs - now())),
    runUntil: async (done) => {
      await quiet();
      while (!done()) {
        clock.next();
        await quiet();
      }
    },
    working,
    end: () => {
      restoreCryptography();
      restoreTimeouts();
      clock.uninstall();
      syncBuiltinESMExports();
    },
  };
}

/** Node's own counts real time, out of anybody's reach. Returns the way back. */
function fakeAbortSignalTimeout(): () => void {
  const original = AbortSignal.timeout;
  AbortSignal.timeout = (ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException('timed out', 'TimeoutError')), ms);
    return controller.signal;
  };
  return () => {
    AbortSignal.timeout = original;
  };
}

/** Web Crypto answers from a thread of its own. Returns the way back. */
function makeCryptographyWork(working: SimulatedTime['working']): () => void {
  const { subtle } = crypto;
  const names = ['sign', 'verify', 'digest', 'importKey'] as const;
  for (const name of names) {
    const original = subtle[name].bind(subtle) as (...args: unknown[]) => Promise<unknown>;
    Object.defineProperty(subtle, name, {
      configurable: true,
      value: (...args: unknown[]) => working(() => original(...args)),
    });
  }
  // Only the methods of the class remain.
  return () => names.forEach((name) => void Reflect.deleteProperty(subtle, name));
}
