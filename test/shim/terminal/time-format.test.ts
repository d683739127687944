import t from 'tap';
import {
  formatClockTime,
  formatDuration,
  formatMoment,
  formatTimestamp,
  parseTime,
} from '../../../shim/terminal/time-format.ts';

process.env.TZ = 'UTC';

t.test('durations are formatted with two units at most', async (t) => {
  const cases: [number, string][] = [
    [-5, '0 s'],
    [499, '0 s'],
    [59_000, '59 s'],
    [60_000, '1 min'],
    [270_000, '4 min 30 s'],
    [47 * 60_000 + 20_000, '47 min'],
    [3_600_000, '1 h'],
    [3 * 3_600_000 + 12 * 60_000, '3 h 12 min'],
    [53 * 3_600_000, '2 d 5 h'],
  ];
  for (const [ms, text] of cases) t.equal(formatDuration(ms), text);
});

t.test('a moment has its date only on another day', async (t) => {
  const now = Date.parse('2026-01-02T03:04:05Z');
  t.equal(formatMoment('2026-01-02T04:04:05Z', now), '04:04 (in 1 h)');
  t.equal(formatMoment('2026-01-02T03:03:35Z', now), '03:03 (30 s ago)');
  t.equal(formatMoment('2026-01-05T03:04:05Z', now), '2026-01-05 03:04 (in 3 d)');
  t.equal(formatMoment('soon', now), 'soon');
});

t.test('a timestamp has its date only on another day', async (t) => {
  const now = Date.parse('2026-01-02T03:04:05Z');
  t.equal(formatTimestamp(now - 1_000, now), '03:04:04');
  t.equal(formatTimestamp(now - 86_400_000, now), '2026-01-01 03:04:05');
  t.equal(formatClockTime(now), '03:04:05');
});

t.test('a time is parsed from a duration, a date or RFC 3339', async (t) => {
  const now = Date.parse('2026-01-02T03:04:05Z');
  const cases: [string, string | undefined][] = [
    ['30s', '2026-01-02T03:03:35Z'],
    ['10m', '2026-01-02T02:54:05Z'],
    ['2 h', '2026-01-02T01:04:05Z'],
    ['3d', '2025-12-30T03:04:05Z'],
    ['2026-01-01', '2026-01-01T00:00:00Z'],
    ['2026-01-01 15:04', '2026-01-01T15:04:00Z'],
    ['2026-01-01T15:04:05+02:00', '2026-01-01T13:04:05Z'],
    ['2026-13-01', undefined],
    ['yesterday', undefined],
    ['10', undefined],
    ['-5m', undefined],
    ['', undefined],
  ];
  for (const [text, wanted] of cases) {
    t.equal(parseTime(text, now), wanted === undefined ? undefined : Date.parse(wanted), text);
  }
});
