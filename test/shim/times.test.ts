import t from 'tap';
import { duration, moment } from '../../shim/times.ts';

process.env.TZ = 'UTC';

t.test('lengths of time', async (t) => {
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
  for (const [ms, text] of cases) t.equal(duration(ms), text);
});

t.test('moments today, on other days, and no moment at all', async (t) => {
  const now = Date.parse('2026-01-02T03:04:05Z');
  t.equal(moment('2026-01-02T04:04:05Z', now), '04:04 (in 1 h)');
  t.equal(moment('2026-01-02T03:03:35Z', now), '03:03 (30 s ago)');
  t.equal(moment('2026-01-05T03:04:05Z', now), '2026-01-05 03:04 (in 3 d)');
  t.equal(moment('soon', now), 'soon');
});
