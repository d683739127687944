import { type Dimension, TOTAL } from '../collector/claude-code-metrics.ts';
import { BEDROCK_WIDGETS, COLLECTOR_WIDGETS, DELIVERY_WIDGETS } from './health-widgets.ts';
import { logsInsights } from './log-query.ts';
import type { AwsSeries, Series, UsageSeries, Widget } from './widget-source.ts';
import { WIDGETS } from './widgets.ts';

/** The deployment that a dashboard shows. Strings may be CDK tokens. */
export type DashboardContext = {
  readonly deployment: string;
  readonly region: string;
  /** Metrics of Claude Code, e.g. `ClaudeCode/Research`. */
  readonly namespace: string;
  /** Value of the dimension that stands for everybody. */
  readonly environment: string;
  /** Log group of every record of the collector. */
  readonly metricsLogGroup: string;
  readonly bedrockRegions: readonly string[];
  readonly collector: {
    /** Full names as CloudWatch has them: `app/NAME/ID` and `targetgroup/NAME/ID`. */
    readonly loadBalancer: string;
    readonly targetGroup: string;
    readonly cluster: string;
    readonly service: string;
  };
  /** Name of the delivery stream; absent without analytics. */
  readonly deliveryStream?: string;
};

/** Width of CloudWatch's grid. */
export const GRID = 24;

const [TOTAL_DIMENSION = ''] = TOTAL;

/**
 * Regions of Bedrock on the dashboard, the first of the profile. Each adds 1.3 kB to the template, which CloudFormation
 * limits to 51,200 bytes.
 */
export const MOST_REGIONS = 16;

/** Seconds between the points of a graph. */
export const PERIOD_SECONDS = 300;

const VIEWS = {
  text: {},
  table: { view: 'table' },
  number: { view: 'singleValue', stacked: false, sparkline: true, setPeriodToTimeRange: true },
  line: { view: 'timeSeries', stacked: false },
  stacked: { view: 'timeSeries', stacked: true },
  bar: { view: 'bar', stacked: false, setPeriodToTimeRange: true },
} as const;

export type Placed = { readonly widget: Widget; readonly x: number; readonly y: number };

/** Every widget of a dashboard with its place in the grid. */
export function layout(withDelivery: boolean): Placed[] {
  const widgets = [
    ...WIDGETS,
    ...BEDROCK_WIDGETS,
    ...COLLECTOR_WIDGETS,
    ...(withDelivery ? DELIVERY_WIDGETS : []),
  ];
  let x = 0;
  let y = 0;
  return widgets.map((widget) => {
    const [width, height] = widget.size;
    const placed = { widget, x, y };
    x += width;
    if (x >= GRID) [x, y] = [0, y + height];
    return placed;
  });
}

/** The body that CloudWatch takes, as an object ready for JSON. */
export function dashboardBody(context: DashboardContext): object {
  return {
    // A day: the tables scan what was logged in this time at each look.
    start: '-P1D',
    periodOverride: 'inherit',
    widgets: layout(context.deliveryStream !== undefined).map(({ widget, x, y }) => ({
      type: { metrics: 'metric', log: 'log', text: 'text' }[widget.source.kind],
      x,
      y,
      width: widget.size[0],
      height: widget.size[1],
      properties: propertiesOf(widget, context),
    })),
  };
}

function propertiesOf(widget: Widget, context: DashboardContext): object {
  const { source, view, unit } = widget;
  const { region } = context;
  const title = titleOf(widget, context);
  if (source.kind === 'text')
    return { markdown: source.markdown.replace('DEPLOYMENT', context.deployment), background: 'transparent' };
  if (source.kind === 'log') {
    const query = `SOURCE '${context.metricsLogGroup}' | ${logsInsights(source.query)}`;
    return { title, region, query, ...(view === 'table' ? VIEWS.table : VIEWS[view]) };
  }
  const axis =
    unit && view !== 'number' ? { yAxis: { left: { label: unit, showUnits: false, min: 0 } } } : {};
  const metrics = source.series.flatMap((series) => metricsOf(series, context));
  const stat = source.series.find((series) => series.kind === 'aws')?.stat ?? 'Sum';
  return {
    title,
    region,
    metrics,
    stat,
    period: widget.periodSeconds ?? PERIOD_SECONDS,
    ...VIEWS[view],
    ...axis,
  };
}

/** Returns the title; it says so if the widget lacks some of the profile's regions. */
function titleOf({ title, source }: Widget, { bedrockRegions }: DashboardContext): string {
  const isByRegion =
    source.kind === 'metrics' &&
    source.series.some((each) => 'namespace' in each && each.namespace === BEDROCK);
  if (!isByRegion || bedrockRegions.length <= MOST_REGIONS) return title;
  return `${title} (first ${MOST_REGIONS} of ${bedrockRegions.length} regions)`;
}

const BEDROCK = 'AWS/Bedrock';

function metricsOf(series: Series, context: DashboardContext): unknown[] {
  if (series.kind === 'math') return [[{ expression: series.expression, label: series.label }]];
  return series.kind === 'usage' ? usageMetrics(series, context) : awsMetrics(series, context);
}

function usageMetrics(series: UsageSeries, { namespace, environment }: DashboardContext): unknown[] {
  const { metric, by, where = { [TOTAL_DIMENSION]: environment }, label, id } = series;
  if (by) return [[searchFor(namespace, by, metric, 'Sum', labelOf(by))]];
  const dimensions = Object.entries(where).flat();
  return [[namespace, metric, ...dimensions, { ...(id ? { id, visible: false } : { label }) }]];
}

function awsMetrics(series: AwsSeries, context: DashboardContext): unknown[] {
  const { namespace, metric, stat, label } = series;
  const { collector, bedrockRegions, deliveryStream } = context;
  switch (namespace) {
    case BEDROCK:
      return bedrockRegions.slice(0, MOST_REGIONS).map((region) => [
        {
          ...searchFor(
            namespace,
            ['ModelId'],
            metric,
            stat,
            `\${PROP('Dim.ModelId')} ${region}${label && `: ${label}`}`,
          ),
          region,
        },
      ]);
    case 'AWS/ApplicationELB': {
      // Codes of the load balancer itself reached no target group.
      const targetGroup = metric.startsWith('HTTPCode_ELB_') ? [] : ['TargetGroup', collector.targetGroup];
      const dimensions = [...targetGroup, 'LoadBalancer', collector.loadBalancer];
      return [[namespace, metric, ...dimensions, { stat, label }]];
    }
    case 'AWS/ECS': {
      const dimensions = ['ClusterName', collector.cluster, 'ServiceName', collector.service];
      return [[namespace, metric, ...dimensions, { stat, label }]];
    }
    case 'AWS/Firehose':
      return [[namespace, metric, 'DeliveryStreamName', deliveryStream, { stat, label }]];
  }
}

function searchFor(
  namespace: string,
  dimensions: readonly string[],
  metric: string,
  stat: string,
  label: string,
): { expression: string; label: string } {
  // Quoted: names of deployments hold hyphens, those of dimensions dots.
  const schema = [namespace, ...dimensions].map((name) => `"${name}"`).join(',');
  const terms = `{${schema}} MetricName="${metric}"`;
  return { expression: `SEARCH('${terms}', '${stat}')`, label };
}

/** Filled in by CloudWatch for each line that a search finds. */
function labelOf(dimensions: readonly Dimension[]): string {
  return dimensions.map((dimension) => `\${PROP('Dim.${dimension}')}`).join(' ');
}

/** The dimension set that a series reads; the collector must publish it. */
export function dimensionSetOf({ by, where }: UsageSeries): readonly string[] {
  return by ?? (where ? Object.keys(where) : TOTAL);
}
