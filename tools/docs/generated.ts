/** Tables of the pages that are made from the code: between a pair of comments, and written by update.ts. */

import { ANSWERS, type AnswerSpec } from '../../admin/init/names.ts';
import { DEFAULT_RETENTION_DAYS } from '../../admin/profiles/infra-profile.ts';

import { namedQueries } from '../../infra/analytics/queries.ts';
import { COLUMNS } from '../../infra/analytics/schema.ts';
import { METRICS } from '../../infra/collector/claude-code-metrics.ts';
import { ASSUMPTIONS, AWS_PRICES, furtherTrailUsd, monthlyCost, SCALES } from '../../infra/cost.ts';
import { ALARMS } from '../../infra/dashboard/alarms.ts';
import { layout } from '../../infra/dashboard/dashboard-body.ts';
import { PRICES, PRICES_AS_OF } from '../../infra/prices.ts';
import { apiReference } from './api-reference.ts';
import { pictureFingerprint } from './dashboard-picture.ts';

/** Generated parts of pages, between `<!-- NAME -->` and `<!-- end of NAME -->`. */
const PARTS: Readonly<Record<string, () => string>> = {
  'api routes': () => apiReference(),
  widgets: () =>
    table(
      ['Widget', 'What it says'],
      layout(true).flatMap(({ widget }) => (widget.title ? [[widget.title, widget.says]] : [])),
    ),
  alarms: () =>
    table(
      ['Alarm', 'What it says'],
      Object.values(ALARMS).map(({ name, description }) => [`[${name}](#${name})`, description]),
    ),
  metrics: () =>
    table(
      ['Metric', 'Unit', 'Dimension sets'],
      Object.entries(METRICS).map(([name, { unit, dimensionSets }]) => [
        `\`${name}\``,
        unit,
        dimensionSets.map((set) => `\`${set.join(' + ')}\``).join(', '),
      ]),
    ),
  prices: () =>
    `USD for a million tokens, list prices of ${PRICES_AS_OF}.\n\n${table(
      ['Model', 'input', 'output', 'cache read', 'cache write', 'not global'],
      PRICES.map((price) => [
        `\`${price.model}\``,
        ...[price.input, price.output, price.cacheRead, price.cacheCreation].map(String),
        `× ${price.regionalFactor}`,
      ]),
    )}`,
  columns: () =>
    table(
      ['Column', 'Type', 'What'],
      COLUMNS.map(({ name, type, comment }) => [`\`${name}\``, type, comment]),
    ),
  queries: () =>
    table(
      ['Query', 'What it answers'],
      namedQueries().map(({ name, description }) => [name, description]),
    ),
  answers: () =>
    table(
      ['Name', 'Value', 'What'],
      Object.entries(ANSWERS).map(([name, spec]) => [
        `\`${name}\``,
        kindWords(spec),
        spec.help.replaceAll('|', '\\|'),
      ]),
    ),
  cost: () => costTable(),
  dominates: () => dominates(),
  'further trail': () => furtherTrail(),
  assumptions: () =>
    table(
      ['Assumption', 'Value'],
      Object.entries(ASSUMPTIONS).map(([name, value]) => [`\`${name}\``, value.toLocaleString('en-US')]),
    ),
  'aws prices': () =>
    table(
      ['Price', 'USD'],
      Object.entries(AWS_PRICES).map(([name, value]) => [`\`${name}\``, String(value)]),
    ),
};

/** The page with every part as the code has it today. Pictures have their mark only after they were drawn. */
export function withFreshParts(markdown: string): string {
  return markdown.replace(/<!-- ([a-z ]+) -->\n[\s\S]*?<!-- end of \1 -->/g, (whole, name: string) => {
    const make = PARTS[name];
    return make ? `<!-- ${name} -->\n${make()}\n<!-- end of ${name} -->` : whole;
  });
}

/** The names of the parts in a page. */
export function partsIn(markdown: string): string[] {
  return [...markdown.matchAll(/<!-- end of ([a-z ]+) -->/g)].map(([, name = '']) => name);
}

export const PART_NAMES = Object.keys(PARTS);

const MARK = /<!-- dashboard\.png of \w+ -->/;

/** The page, saying of which widgets and data the picture was drawn. */
export function withPictureMark(markdown: string): string {
  return markdown.replace(MARK, `<!-- dashboard.png of ${pictureFingerprint()} -->`);
}

/** Choices in full, where `--help` has a word for them. */
function kindWords({ kind }: AnswerSpec): string {
  if (typeof kind !== 'string') return kind.map((choice) => `\`${choice}\``).join(', ');
  return { secret: 'path of a file', list: 'list of texts', pairs: 'NAME=VALUE, …' }[String(kind)] ?? kind;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

const SHAPE = {
  auditDays: DEFAULT_RETENTION_DAYS,
  monitoring: { network: 'private', alarms: true, analytics: true },
} as const;

function estimates() {
  return SCALES.map((users) => monthlyCost({ ...SHAPE, users }));
}

function costTable(): string {
  const all = estimates();
  const whats = all.at(-1)?.items.map(({ what }) => what) ?? [];
  const rows = whats.map((what) => [
    what,
    ...all.map(({ items }) => money(items.find((item) => item.what === what)?.usd ?? 0)),
  ]);
  const total = ['**Total**', ...all.map(({ totalUsd }) => `**${money(totalUsd)}**`)];
  const perPerson = [
    'For each person',
    ...all.map(({ totalUsd }, index) => `$${(totalUsd / (SCALES[index] ?? 1)).toFixed(2)}`),
  ];
  const head = ['A month', ...SCALES.map((users) => `${users.toLocaleString('en-US')} people`)];
  return table(head, [...rows, total, perPerson]);
}

function dominates(): string {
  return estimates()
    .map(({ items, totalUsd }, index) => {
      const [first, second] = items;
      const share = (usd = 0): string => `${Math.round((100 * usd) / totalUsd)} %`;
      const people = (SCALES[index] ?? 0).toLocaleString('en-US');
      return `- ${people} people: ${first?.what} (${share(first?.usd)}), then ${second?.what} (${share(second?.usd)}).`;
    })
    .join('\n');
}

function furtherTrail(): string {
  return SCALES.map(
    (users) => `- ${users.toLocaleString('en-US')} people: ${money(furtherTrailUsd(users))} a month more.`,
  ).join('\n');
}

function money(usd: number): string {
  if (usd < 10) return `$${usd.toFixed(2)}`;
  return `$${Math.round(usd).toLocaleString('en-US')}`;
}
