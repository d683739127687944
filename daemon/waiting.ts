import { setTimeout as sleep } from 'node:timers/promises';

/** A promise that is resolved from outside, once; any number of callers may wait for it. */
export type Deferred = { promise: Promise<void>; resolve(): void };

export function createDeferred(): Deferred {
  let resolve = (): void => {};
  const promise = new Promise<void>((resolvePromise) => {
    resolve = resolvePromise;
  });
  return { promise, resolve };
}

/** Resolves when the promise has settled, when the time is over, or when `signal` aborts. */
export async function waitFor({ promise }: Deferred, ms: number, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  await Promise.race([promise, sleep(ms, undefined, { signal: stop }).catch(() => undefined)]);
  done.abort();
}

/** Returns the result if it arrives in time, else undefined. The call continues in both cases. */
export async function resultWithin<T>(ms: number, result: Promise<T>): Promise<T | undefined> {
  const abort = new AbortController();
  const timeOut = sleep(ms, undefined, { signal: abort.signal }).catch(() => undefined);
  try {
    return await Promise.race([result, timeOut]);
  } finally {
    abort.abort();
    result.catch(() => {});
  }
}
