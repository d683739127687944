export type SharedCall<T, A extends unknown[] = []> = {
  /** Starts the call, or joins the one under way, whatever that was started with. */
  (...args: A): Promise<T>;
  /** Resolves when no call is under way any more, however it ended. */
  settled(): Promise<void>;
};

/**
 * Concurrent callers share one call. The next caller after it settles starts another: neither a failure
 * nor a success is cached.
 */
export function createSharedCall<T, A extends unknown[] = []>(
  action: (...args: A) => Promise<T>,
): SharedCall<T, A> {
  let underWay: Promise<T> | undefined;
  const call = (...args: A): Promise<T> => {
    underWay ??= action(...args).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
  const settled = async (): Promise<void> => {
    await underWay?.catch(() => {});
  };
  return Object.assign(call, { settled });
}
