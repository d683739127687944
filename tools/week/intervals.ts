/** From a moment up to another, that one excluded; milliseconds since the epoch. */
export type Interval = { readonly from: number; readonly to: number };

export function contains({ from, to }: Interval, at: number): boolean {
  return from <= at && at < to;
}

export function within(intervals: readonly Interval[], at: number): boolean {
  return intervals.some((interval) => contains(interval, at));
}

/** The parts of `intervals` outside all of `holes`; both may be in any order. */
export function without(intervals: readonly Interval[], holes: readonly Interval[]): Interval[] {
  let left = [...intervals];
  for (const hole of holes) {
    left = left.flatMap(({ from, to }) =>
      [
        { from, to: Math.min(to, hole.from) },
        { from: Math.max(from, hole.to), to },
      ].filter((part) => part.from < part.to),
    );
  }
  return left.sort((a, b) => a.from - b.from);
}

/** The same time, with a seam at each of these moments. */
export function splitAt(intervals: readonly Interval[], moments: readonly number[]): Interval[] {
  let parts = [...intervals];
  for (const moment of moments) {
    parts = parts.flatMap((part) =>
      part.from < moment && moment < part.to
        ? [
            { from: part.from, to: moment },
            { from: moment, to: part.to },
          ]
        : [part],
    );
  }
  return parts;
}

/** Removes the first `ms` of each interval. */
export function after(ms: number, intervals: readonly Interval[]): Interval[] {
  return intervals.map(({ from, to }) => ({ from: from + ms, to })).filter(({ from, to }) => from < to);
}

export function lengthMs(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { from, to }) => sum + to - from, 0);
}
