/** A length of time as people read it: `45 s`, `4 min 30 s`, `3 h 12 min`, `2 d 5 h`. */
export function duration(ms: number): string {
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

/** A moment in local time and how far it is: `14:32 (in 47 min)`, `2026-01-02 14:32 (3 d ago)`. */
export function moment(rfc3339: string, now: number): string {
  const at = Date.parse(rfc3339);
  if (Number.isNaN(at)) return rfc3339;
  const distance = at >= now ? `in ${duration(at - now)}` : `${duration(now - at)} ago`;
  const date = localDate(at);
  return `${date === localDate(now) ? '' : `${date} `}${localTime(at)} (${distance})`;
}

function localDate(epochMs: number): string {
  const date = new Date(epochMs);
  return [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
}

function localTime(epochMs: number): string {
  const date = new Date(epochMs);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
