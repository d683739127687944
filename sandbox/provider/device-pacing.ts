/** The polling interval of the device grant, enforced (RFC 8628 §3.5). */
export interface DevicePacing {
  issued(deviceCode: string): void;
  /** Notes a poll. `true`: it came too soon, and the interval is now 5 seconds longer. */
  tooSoon(deviceCode: string): boolean;
}

/** A client's timer and ours do not tick together. */
const toleranceMs = 100;

export function createDevicePacing(intervalSeconds: number): DevicePacing {
  const codes = new Map<string, { lastMs: number; intervalMs: number }>();
  return {
    issued(deviceCode) {
      codes.set(deviceCode, { lastMs: Number.NEGATIVE_INFINITY, intervalMs: intervalSeconds * 1000 });
    },
    tooSoon(deviceCode) {
      const code = codes.get(deviceCode);
      if (code === undefined) return false;
      const nowMs = performance.now();
      const early = nowMs - code.lastMs < code.intervalMs - toleranceMs;
      code.lastMs = nowMs;
      if (early) code.intervalMs += 5000;
      return early;
    },
  };
}
