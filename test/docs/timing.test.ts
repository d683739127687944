import t from 'tap';
import { answerLifeMs, refreshAheadMs, TIMING } from '../../daemon/timing.ts';
import { readText, tableUnder } from '../../tools/docs/pages.ts';

const PAGE = readText('docs/how-it-works.md');

/** A length of time as the page writes it: whole minutes, seconds with at most one decimal, else milliseconds. */
function written(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${Math.round(ms / 100) / 10} s`;
}

t.test('docs/how-it-works.md has every constant of the timing policy with its value', async (t) => {
  const documented = tableUnder(PAGE, 'All time limits of the daemon').map(([name, value]) => [name, value]);
  const constants = Object.entries(TIMING).map(([name, value]) => [
    `\`${name}\``,
    name.endsWith('Ms') ? written(value) : String(value),
  ]);
  t.strictSame(documented, constants);
});

t.test('docs/how-it-works.md says when credentials of each life are renewed', async (t) => {
  const lives: Readonly<Record<string, number>> = {
    '12 h': 12 * 3_600_000,
    '1 h': 3_600_000,
    '20 s (sandbox)': 20_000,
  };
  const rows = tableUnder(PAGE, 'When credentials are renewed');
  t.strictSame(
    rows.map(([life]) => life),
    Object.keys(lives),
  );
  for (const [life = '', ahead, wait] of rows) {
    const lifetimeMs = lives[life] ?? Number.NaN;
    const middle = refreshAheadMs(lifetimeMs, 0);
    const spread = refreshAheadMs(lifetimeMs, 1) - middle;
    t.equal(ahead, spread === 0 ? written(middle) : `${written(middle)} ± ${written(spread)}`, life);
    t.equal(wait, written(answerLifeMs(lifetimeMs)), life);
  }
});
