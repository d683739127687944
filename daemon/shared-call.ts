/** An action that has at most one call in progress. */
export type SharedCall<T, A extends unknown[] = []> = {
  /** Starts the call, or joins the one in progress, even if that one has other arguments. */
  (...args: A): Promise<T>;
  /** Resolves when no call is in progress, after a success or a failure. */
  settled(): Promise<void>;
};

/**
 * Makes concurrent callers share one call. The next caller after it settles starts another: neither a
 * failure nor a success is cached.
 */
export function createSharedCall<T, A extends unknown[] = []>(
  action: (...args: A) => Promise<T>,
): SharedCall<T, A> {
  let current: Promise<T> | undefined;
  const call = (...args: A): Promise<T> => {
    current ??= action(...args).finally(() => {
      current = undefined;
    });
    return current;
  };
  const settled = async (): Promise<void> => {
    await current?.catch(() => {});
  };
  return Object.assign(call, { settled });
}
