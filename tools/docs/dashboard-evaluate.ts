/** Evaluates the sources of the dashboard on a day of records. */
import type { TOKEN_TYPES } from '../../infra/collector/claude-code-metrics.ts';
import type {
  AwsSeries,
  LogQuery,
  Measure,
  Series,
  Source,
  UsageSeries,
} from '../../infra/dashboard/widget-source.ts';
import { seededRandom } from '../support/random.ts';
import { busy, cost, MODELS, POINTS, POINTS_PER_HOUR, type Samples } from './dashboard-sample.ts';

const REGIONS = ['eu-central-1', 'eu-west-1'] as const;

/** Points of a day, and after them the value of the whole day. */
export type Line = { readonly label: string; readonly values: readonly number[] };
export type Table = {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
};

/** The lines that a metric source draws, in CloudWatch's order: those of a series together, largest first. */
export function linesOf(source: Extract<Source, { kind: 'metrics' }>, day: Samples): Line[] {
  const named = new Map<string, readonly number[]>();
  return source.series.flatMap((series) => {
    if (series.kind === 'math') return [compute(series, named)];
    const lines = series.kind === 'usage' ? usageLines(series, day) : awsLines(series, day);
    if (series.kind !== 'usage' || series.id === undefined) return lines;
    named.set(series.id, lines[0]?.values ?? []);
    return [];
  });
}

function compute(
  { expression, label }: Extract<Series, { kind: 'math' }>,
  named: Map<string, readonly number[]>,
): Line {
  const apply = new Function(...named.keys(), `return ${expression};`) as (...values: number[]) => number;
  const at = (point: number): number => apply(...[...named.values()].map((values) => values[point] ?? 0));
  // The last value is the one of the whole time range, which a number shows.
  return { label, values: Array.from({ length: POINTS + 1 }, (_, point) => at(point) || 0) };
}

function usageLines({ metric, by = [], where = {}, label = metric }: UsageSeries, day: Samples): Line[] {
  const lines = new Map<string, number[]>();
  for (const { point, labels, value } of day[metric] ?? []) {
    if (Object.entries(where).some(([name, wanted]) => labels[name] !== wanted)) continue;
    const key = by.length > 0 ? by.map((dimension) => labels[dimension]).join(' ') : label;
    const values = lines.get(key) ?? new Array<number>(POINTS + 1).fill(0);
    values[point] = (values[point] ?? 0) + value;
    values[POINTS] = (values[POINTS] ?? 0) + value;
    lines.set(key, values);
  }
  return [...lines]
    .map(([label, values]) => ({ label, values }))
    .sort((a, b) => (b.values[POINTS] ?? 0) - (a.values[POINTS] ?? 0));
}

/** Invents the metrics that AWS itself measures, along the same day: they are not in the records. */
function awsLines({ namespace, metric, label }: AwsSeries, day: Samples): Line[] {
  const random = seededRandom([...`${namespace}${metric}`].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7));
  const along = (scale: number, noise = 0.25): number[] =>
    Array.from({ length: POINTS }, (_, point) => busy(point) * scale * random.between(1 - noise, 1 + noise));
  const total = (values: number[]): number[] => [...values, values.reduce((sum, value) => sum + value, 0)];
  const line = (values: number[], name = label): Line[] => [{ label: name, values: total(values) }];
  const perModel = (scale: number, noise: number, whole: boolean): Line[] =>
    REGIONS.flatMap((region, index) =>
      MODELS.flatMap(([model, share]) => {
        const values = along(scale * share * (index === 0 ? 1 : 0.25), noise).map((value) =>
          whole ? Math.floor(value) : value,
        );
        return values.some((value) => value > 0)
          ? line(values, `${model} ${region}${label && `: ${label}`}`)
          : [];
      }),
    );
  switch (metric) {
    case 'Invocations':
      return perModel(900, 0.2, true);
    case 'InvocationLatency':
      return MODELS.flatMap(([model], index) =>
        line(
          along(1, 0).map(
            (load) => (9_000 + 3_000 * load) * ([0.8, 1.5, 0.35][index] ?? 1) * random.between(0.85, 1.15),
          ),
          `${model} ${REGIONS[0]}`,
        ),
      );
    case 'InvocationThrottles':
      return perModel(2.4, 0.6, true);
    case 'InvocationClientErrors':
      return perModel(1.9, 0.5, true);
    case 'InvocationServerErrors':
      return perModel(1.7, 0.4, true);
    case 'HealthyHostCount':
      return line(along(1, 0).map((load) => (load > 0.7 ? 2 : 1)));
    case 'UnHealthyHostCount':
      return line(new Array<number>(POINTS).fill(0));
    case 'CPUUtilization':
      return line(along(52).map((value) => value + 3));
    case 'MemoryUtilization':
      return line(along(16, 0.1).map((value) => value + 31));
    case 'DeliveryToS3.DataFreshness':
      return line(
        Array.from({ length: POINTS }, (_, point) => 300 + (point % 3) * 280 + random.between(0, 60)),
      );
    case 'HTTPCode_ELB_4XX_Count':
    case 'HTTPCode_Target_4XX_Count':
      return line(along(6, 0.9));
    case 'HTTPCode_Target_5XX_Count':
      return line(along(0.4, 0.9).map(Math.floor));
    default:
      return line(along((day['claude_code.token.usage']?.length ?? 0) / 60));
  }
}

const FIELD_LABELS = { user: 'user.email', model: 'model', team: 'team.id' } as const;

/** The rows that a query of the log group gives; a query by hour gives one row for each. */
export function tableOf(query: LogQuery, day: Samples): Table {
  type Group = { key: string[]; tokens: number; listUsd: number; reportedUsd: number; people: Set<string> };
  const groups = new Map<string, Group>();
  for (const metric of ['claude_code.token.usage', 'claude_code.cost.usage']) {
    for (const { point, labels, value } of day[metric] ?? []) {
      const key = query.by.map((field) =>
        field === 'hour' ? String(Math.floor(point / POINTS_PER_HOUR)) : (labels[FIELD_LABELS[field]] ?? ''),
      );
      const group = groups.get(key.join()) ?? {
        key,
        tokens: 0,
        listUsd: 0,
        reportedUsd: 0,
        people: new Set(),
      };
      groups.set(key.join(), group);
      group.people.add(labels['user.email'] ?? '');
      if (metric === 'claude_code.cost.usage') group.reportedUsd += value;
      else {
        group.tokens += value;
        group.listUsd += cost(labels.model ?? '', labels.type as (typeof TOKEN_TYPES)[number], value);
      }
    }
  }
  const measure = (group: Group, name: Measure): number =>
    name === 'users' ? group.people.size : group[name];
  const { sortBy, limit = Number.POSITIVE_INFINITY } = query;
  const sorted = [...groups.values()].sort((a, b) => (sortBy ? measure(b, sortBy) - measure(a, sortBy) : 0));
  return {
    columns: [...query.by.map((field) => `${field}Name`), ...query.measures],
    rows: sorted
      .slice(0, limit)
      .map((group) => [...group.key, ...query.measures.map((name) => measure(group, name))]),
  };
}
