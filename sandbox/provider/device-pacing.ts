/** The polling interval of the device grant, enforced (RFC 8628 §3.5). */
export interface DevicePacing {
  issued(deviceCode: string): void;
  /** Records a poll. Returns true if it was too soon: the interval is then 5 seconds longer (slow_down). */
  tooSoon(deviceCode: string): boolean;
}

/** Tolerance for the difference between the client's timer and ours. */
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
