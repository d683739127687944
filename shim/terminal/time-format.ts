/** Formats a duration: `45 s`, `4 min 30 s`, `3 h 12 min`, `2 d 5 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return joined(minutes, 'min', seconds % 60, 's');
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return joined(hours, 'h', minutes % 60, 'min');
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** Formats a moment in local time and its distance: `14:32 (in 47 min)`, `2026-01-02 14:32 (3 d ago)`. */
export function formatMoment(rfc3339: string, now: number): string {
  const at = Date.parse(rfc3339);
  if (Number.isNaN(at)) return rfc3339;
  const distance = at >= now ? `in ${formatDuration(at - now)}` : `${formatDuration(now - at)} ago`;
  const date = localDate(at);
  return `${date === localDate(now) ? '' : `${date} `}${localTime(at)} (${distance})`;
}

function localDate(epochMs: number): string {
  const date = new Date(epochMs);
  return [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
}

/** Formats a time of day in local time, with seconds: `14:32:05`. */
export function formatClockTime(epochMs: number): string {
  return `${localTime(epochMs)}:${two(new Date(epochMs).getSeconds())}`;
}

/** Formats a moment in local time with seconds, and its date only on another day: `2026-01-02 14:32:05`. */
export function formatTimestamp(epochMs: number, now: number): string {
  const date = localDate(epochMs);
  return `${date === localDate(now) ? '' : `${date} `}${formatClockTime(epochMs)}`;
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Returns the milliseconds since the epoch of a time given by a person. It is an age (`30s`, `10m`, `2h`,
 * `3d`) or a time, local unless it has a zone (`2026-01-02`, `2026-01-02 15:04`, RFC 3339). Undefined for
 * anything else.
 */
export function parseTime(text: string, now: number): number | undefined {
  const ago = /^(\d{1,6}) ?([smhd])$/.exec(text);
  if (ago) return now - Number(ago[1]) * (UNITS_MS[ago[2] ?? ''] ?? 0);
  if (!/^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(text)) return undefined;
  // Date.parse reads a bare date as midnight in UTC.
  const at = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
  return Number.isNaN(at) ? undefined : at;
}

function localTime(epochMs: number): string {
  const date = new Date(epochMs);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
