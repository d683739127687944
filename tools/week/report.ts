/** A week's figures for people. */
import { MOST_GRANTS, type Verdict } from './judge.ts';

const MINUTE = 60_000;

export function weekReport(verdict: Verdict): string {
  const { seed, requests, grants } = verdict;
  const hours = (value: number): string => `${value.toFixed(1)} h`;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const ratio = (least: number): string => (grants.made / least).toFixed(3);
  const rows: [string, string | number, string?][] = [
    ['awake', hours(verdict.awakeHours), `in ${verdict.wakeUps} stretches`],
    ['  of that settled', hours(verdict.settledHours), 'a minute after whatever went wrong last'],
    ['requests', requests.all, `13 at once or single, and ${requests.ofBrokenProfile} of a broken profile`],
    ['  in settled moments', requests.settled],
    ['    waited, with credentials there', requests.settledWaits, 'must be 0'],
    ['    least life of an answer', `${(requests.leastLifeMs / MINUTE).toFixed(1)} min`, 'must be 20'],
    ['    found nothing there', requests.settledEmpty, 'an outage or a sleep had outlived it'],
    ['  waited in other moments', requests.otherWaits, `${seconds(requests.longestWaitMs)} at most`],
    ['  failed, with nothing there', requests.errors, 'and no way to the provider or AWS'],
    ['settled time under 20 min of life', seconds(verdict.shortMs), 'must be 0; both profiles, asked or not'],
    ['settled time with nothing', seconds(verdict.emptyMs)],
    ['refresh grants', grants.made, `and ${grants.lost} more whose reply was lost`],
    ['  least possible', grants.least, `ratio ${ratio(grants.least)}, must be ${MOST_GRANTS} or less`],
    ['  least without any margin', grants.leastWithoutMargin, `ratio ${ratio(grants.leastWithoutMargin)}`],
    ['exchanges for AWS credentials', verdict.exchanges],
    ['sign-in pages', verdict.signIns, 'must be 0'],
    ['refresh tokens used after their grace', verdict.reuses, 'must be 0'],
    ['  or during another use', verdict.concurrent, 'must be 0'],
  ];
  const lines = rows.map(([name, value, note = '']) =>
    `  ${name.padEnd(38)}${String(value).padStart(9)}   ${note}`.trimEnd(),
  );
  return `the week of seed ${seed}\n${lines.join('\n')}\n${brokenLines(verdict)}`;
}

/** One line for each week, and the worst of each column. */
export function weeksReport(verdicts: readonly Verdict[]): string {
  const head = [
    'seed',
    'settled h',
    'requests',
    'waits',
    'least life',
    'grants',
    'least',
    'ratio',
    'no margin',
  ];
  const ratio = ({ grants }: Verdict): number => grants.made / grants.least;
  const withoutMargin = ({ grants }: Verdict): number => grants.made / grants.leastWithoutMargin;
  const rows = verdicts.map((verdict) => [
    String(verdict.seed),
    verdict.settledHours.toFixed(1),
    String(verdict.requests.settled),
    String(verdict.requests.settledWaits),
    (verdict.requests.leastLifeMs / MINUTE).toFixed(1),
    String(verdict.grants.made),
    String(verdict.grants.least),
    ratio(verdict).toFixed(3),
    withoutMargin(verdict).toFixed(3),
  ]);
  const sum = (of: (verdict: Verdict) => number): string =>
    String(verdicts.reduce((total, verdict) => total + of(verdict), 0));
  const most = (of: (verdict: Verdict) => number): string => Math.max(...verdicts.map(of)).toFixed(3);
  const worst = [
    'all',
    verdicts.reduce((total, { settledHours }) => total + settledHours, 0).toFixed(1),
    sum(({ requests }) => requests.settled),
    sum(({ requests }) => requests.settledWaits),
    (Math.min(...verdicts.map(({ requests }) => requests.leastLifeMs)) / MINUTE).toFixed(1),
    sum(({ grants }) => grants.made),
    sum(({ grants }) => grants.least),
    most(ratio),
    most(withoutMargin),
  ];
  const table = [head, ...rows, worst].map((row) =>
    row.map((cell, column) => cell.padStart((head[column]?.length ?? 0) + 3)).join(''),
  );
  return `${table.join('\n')}\n\n${verdicts.map(brokenLines).join('')}`;
}

function brokenLines({ seed, broken }: Verdict): string {
  if (broken.length === 0) return '';
  return `broken promises of seed ${seed}:\n${broken.map((line) => `  ${line}\n`).join('')}`;
}
