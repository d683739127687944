import type { Dimension, MetricName } from '../collector/claude-code-metrics.ts';

/**
 * Source of the figures of a widget. It translates into CloudWatch's languages (dashboard-body.ts), and can
 * be computed on sample data for the picture in the documentation.
 */
export type Source =
  | { readonly kind: 'metrics'; readonly series: readonly Series[] }
  | { readonly kind: 'log'; readonly query: LogQuery }
  | { readonly kind: 'text'; readonly markdown: string };

export type Series = UsageSeries | AwsSeries | MathSeries;

/** A metric of Claude Code, summed. The dimensions used must be one of its sets in {@link METRICS}. */
export type UsageSeries = {
  readonly kind: 'usage';
  readonly metric: MetricName;
  /** One line for each combination of values; none: the total. */
  readonly by?: readonly Dimension[];
  /** Only this value of a dimension. Not together with `by`. */
  readonly where?: Readonly<Partial<Record<Dimension, string>>>;
  readonly label?: string;
  /** Name in `math`, whose operands are not drawn themselves. */
  readonly id?: string;
};

/** A metric that AWS keeps. */
export type AwsSeries = {
  readonly kind: 'aws';
  readonly namespace: 'AWS/Bedrock' | 'AWS/ApplicationELB' | 'AWS/ECS' | 'AWS/Firehose';
  readonly metric: string;
  readonly stat: 'Sum' | 'Average' | 'Minimum' | 'Maximum' | 'p90';
  /** Says which of several metrics of one widget a line is; may be empty where there is one. */
  readonly label: string;
};

/** Arithmetic on series with an `id`. */
export type MathSeries = { readonly kind: 'math'; readonly expression: string; readonly label: string };

/** A table, or a line by hour, from the log group that the collector writes every record to. */
export type LogQuery = {
  readonly by: readonly LogField[];
  readonly measures: readonly Measure[];
  /** Largest first. */
  readonly sortBy?: Measure;
  readonly limit?: number;
};

export type LogField = 'hour' | 'user' | 'model' | 'team';
export type Measure = 'tokens' | 'listUsd' | 'reportedUsd' | 'users';

export type Widget = {
  /** Stable name: the sample data, the documentation and the tests speak of a widget by it. */
  readonly id: string;
  readonly title: string;
  /** Explanation of the widget: its line in docs/monitoring.md. */
  readonly says: string;
  /** In CloudWatch's grid, which is 24 wide. */
  readonly size: readonly [width: number, height: number];
  readonly view: 'text' | 'number' | 'line' | 'stacked' | 'bar' | 'table';
  /** Seconds between the points of a graph, where five minutes would be too few to count in. */
  readonly periodSeconds?: number;
  readonly unit?: 'USD' | '%' | 'hours' | 'ms';
  readonly source: Source;
};
