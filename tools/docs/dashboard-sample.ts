/** A day of an invented company, as the collector would have written it. */
import { TOKEN_TYPES } from '../../infra/collector/claude-code-metrics.ts';
import { priceOf, regionFactor } from '../../infra/prices.ts';
import { type Random, seededRandom } from '../support/random.ts';

/** Points of a day, five minutes apart, as on the dashboard. */
export const POINTS = 288;
export const POINTS_PER_HOUR = 12;

/** One record of the collector: labels and one value. */
export type Sample = {
  readonly point: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};
export type Samples = Readonly<Record<string, readonly Sample[]>>;

export const MODELS = [
  ['eu.anthropic.claude-sonnet-5-5', 0.62],
  ['eu.anthropic.claude-opus-5-5', 0.26],
  ['eu.anthropic.claude-haiku-4-5-20251001-v1:0', 0.12],
] as const;
const TEAMS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  engineering: ['platform', 'payments', 'mobile', 'search'],
  research: ['languages', 'vision'],
  operations: ['reliability', 'network'],
  finance: ['controlling'],
};
const NAMES =
  'ada grace alan barbara edsger frances donald jean ken radia dennis karen tony leslie niklaus sophie john margaret';

type Person = { readonly labels: Readonly<Record<string, string>>; readonly weight: number };

function people(random: Random): Person[] {
  const departments = Object.keys(TEAMS);
  return Array.from({ length: 187 }, (_, index) => {
    const names = NAMES.split(' ');
    const name = names[index % names.length] ?? '';
    const suffix = index < names.length ? '' : `${1 + Math.floor(index / names.length)}`;
    const department = departments[index % 10 < 6 ? 0 : (index % 3) + 1] ?? '';
    const team = random.pick(TEAMS[department] ?? ['unspecified']);
    const labels = { 'user.email': `${name}${suffix}@company.example`, department, 'team.id': team };
    return { labels, weight: 0.15 + random.next() ** 3 * 2 };
  });
}

/** Load of a company at a point of the day, 0 to 1: a morning, a lunch, an afternoon, a few users at night. */
export function busy(point: number): number {
  const hour = point / POINTS_PER_HOUR;
  const bell = (at: number, width: number): number => Math.exp(-(((hour - at) / width) ** 2));
  return 0.005 + 0.85 * bell(9.8, 1.7) + 0.95 * bell(14.6, 2.1) + 0.05 * bell(20.5, 1.4);
}

/** Returns the records that the collector would have written in the day. */
export function sampleDay(): Samples {
  const random = seededRandom(20_260_331);
  const samples: Record<string, Sample[]> = {};
  const add = (metric: string, point: number, labels: Sample['labels'], value: number): void => {
    const list = samples[`claude_code.${metric}`] ?? [];
    list.push({ point, labels, value });
    samples[`claude_code.${metric}`] = list;
  };
  for (const { labels, weight } of people(random)) {
    for (let point = 0; point < POINTS; point += 1) {
      if (!random.chance(busy(point) * 0.4)) continue;
      work(random, point, labels, weight, add);
    }
  }
  return samples;
}

type Add = (metric: string, point: number, labels: Sample['labels'], value: number) => void;

/** Five minutes of one person at work. */
function work(random: Random, point: number, who: Sample['labels'], weight: number, add: Add): void {
  const draw = random.next();
  const [first, second] = MODELS;
  const [model] = draw < first[1] ? first : draw < first[1] + second[1] ? second : MODELS[2];
  const scale = 42_000 * weight * random.between(0.4, 1.8);
  const shares = { input: 0.9, output: 0.16, cacheRead: 8.4, cacheCreation: 0.7 };
  let usd = 0;
  for (const type of TOKEN_TYPES) {
    const count = Math.round(scale * shares[type] * random.between(0.7, 1.3));
    add('token.usage', point, { ...who, model, type }, count);
    // Claude Code knows no surcharge for a region.
    usd += cost(model.replace('eu.', 'global.'), type, count);
  }
  add('cost.usage', point, { ...who, model }, usd);
  add('active_time.total', point, who, random.whole(40, 260));
  if (random.chance(0.05)) add('session.count', point, who, 1);
  if (random.chance(0.45)) add('lines_of_code.count', point, { ...who, type: 'added' }, random.whole(2, 90));
  if (random.chance(0.35))
    add('lines_of_code.count', point, { ...who, type: 'removed' }, random.whole(1, 45));
  if (random.chance(0.04)) add('commit.count', point, who, 1);
  if (random.chance(0.012)) add('pull_request.count', point, who, 1);
  if (random.chance(0.5)) {
    const tool_name = random.pick(['Edit', 'Edit', 'Edit', 'Write', 'NotebookEdit'] as const);
    const decision = random.chance(0.9) ? 'accept' : 'reject';
    add('code_edit_tool.decision', point, { ...who, tool_name, decision }, random.whole(1, 6));
  }
}

export function cost(model: string, type: (typeof TOKEN_TYPES)[number], count: number): number {
  const price = priceOf(model);
  return price ? (count * price[type] * regionFactor(model, price)) / 1e6 : 0;
}
