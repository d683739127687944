import { setTimeout as sleep } from 'node:timers/promises';

/** Something that happens once, and that any number of callers wait for. */
export type Deferred = { promise: Promise<void>; resolve(): void };

export function createDeferred(): Deferred {
  let happens = (): void => {};
  const happened = new Promise<void>((resolve) => {
    happens = resolve;
  });
  return { promise: happened, resolve: happens };
}

/** Resolves when the event has happened, when the time is over, or when the caller went away. */
export async function waitFor(
  { promise: happened }: Deferred,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  await Promise.race([happened, sleep(ms, undefined, { signal: stop }).catch(() => undefined)]);
  done.abort();
}

/** The result if it comes in time, else undefined; what is waited for goes on either way. */
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
