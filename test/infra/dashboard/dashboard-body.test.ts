import t from 'tap';
import { METRICS } from '../../../infra/collector/claude-code-metrics.ts';
import { dashboardBody, dimensionSetOf, GRID, layout } from '../../../infra/dashboard/dashboard-body.ts';
import type { Widget } from '../../../infra/dashboard/widget-source.ts';
import { CONTEXT } from '../fixtures/telemetry-props.ts';

type Body = {
  start: string;
  widgets: {
    type: string;
    x: number;
    y: number;
    width: number;
    height: number;
    properties: { title?: string; metrics?: unknown[][]; query?: string; region?: string; markdown?: string };
  }[];
};

const body = dashboardBody(CONTEXT) as Body;

function find(id: string): Body['widgets'][number] {
  const index = layout(true).findIndex(({ widget }) => widget.id === id);
  const found = body.widgets[index];
  if (!found) throw new Error(`no widget ${id}`);
  return found;
}

const widgets: Widget[] = layout(true).map(({ widget }) => widget);

t.test('every row is full and no widget overlaps another', async (t) => {
  const taken = new Set<string>();
  for (const { x, y, width, height } of body.widgets) {
    t.ok(x + width <= GRID);
    for (let column = x; column < x + width; column += 1) {
      for (let row = y; row < y + height; row += 1) {
        t.notOk(taken.has(`${column} ${row}`), `${column} ${row}`);
        taken.add(`${column} ${row}`);
      }
    }
  }
  const rows = Math.max(...body.widgets.map(({ y, height }) => y + height));
  t.equal(taken.size, GRID * rows, 'no hole');
});

t.test('everything the deployment must be told about is on the dashboard', async (t) => {
  const shown = new Set(
    widgets.flatMap(({ source }) =>
      source.kind === 'metrics'
        ? source.series.flatMap((series) => (series.kind === 'usage' ? [series.metric] : []))
        : [],
    ),
  );
  t.strictSame([...shown].sort(), Object.keys(METRICS).sort());
  t.equal(new Set(widgets.map(({ id }) => id)).size, widgets.length, 'ids are unique');
});

t.test('only dimension sets that the collector publishes are read, and all of them are', async (t) => {
  const read = new Set(
    widgets.flatMap(({ source }) =>
      source.kind === 'metrics'
        ? source.series.flatMap((series) =>
            series.kind === 'usage' ? [`${series.metric} ${dimensionSetOf(series).join(',')}`] : [],
          )
        : [],
    ),
  );
  const published = Object.entries(METRICS).flatMap(([metric, { dimensionSets }]) =>
    dimensionSets.map((set) => `${metric} ${set.join(',')}`),
  );
  t.strictSame([...read].sort(), published.sort());
});

t.test('a total is the metric of the whole environment, a breakdown a search', async (t) => {
  t.strictSame(find('total-tokens').properties.metrics, [
    [
      'ClaudeCode/ClaudeCode',
      'claude_code.token.usage',
      'deployment.environment',
      'production',
      { label: 'Tokens' },
    ],
  ]);
  t.strictSame(find('tokens-by-model').properties.metrics, [
    [
      {
        expression: `SEARCH('{"ClaudeCode/ClaudeCode","model"} MetricName="claude_code.token.usage"', 'Sum')`,
        label: `\${PROP('Dim.model')}`,
      },
    ],
  ]);
});

t.test('operands of arithmetic are not drawn', async (t) => {
  const metrics = find('cache-hit-rate').properties.metrics ?? [];
  t.strictSame(
    metrics.map((entry) => (entry.at(-1) as { visible?: boolean }).visible),
    [false, false, false, undefined],
  );
  t.match(metrics[1], ['ClaudeCode/ClaudeCode', 'claude_code.token.usage', 'type', 'cacheRead']);
});

t.test('Bedrock is shown for every region of the profile, the collector for its own names', async (t) => {
  const regions = find('bedrock-throttles').properties.metrics?.map(
    ([expression]) => (expression as { region: string }).region,
  );
  t.strictSame(regions, CONTEXT.bedrockRegions);
  t.match(find('collector-hosts').properties.metrics?.[0], [
    'AWS/ApplicationELB',
    'HealthyHostCount',
    'TargetGroup',
    CONTEXT.collector.targetGroup,
    'LoadBalancer',
    CONTEXT.collector.loadBalancer,
  ]);
  // Requests that the load balancer refuses reach no target group.
  const refused = find('collector-requests').properties.metrics?.find(
    ([, metric]) => metric === 'HTTPCode_ELB_4XX_Count',
  );
  t.match(refused, [
    'AWS/ApplicationELB',
    'HTTPCode_ELB_4XX_Count',
    'LoadBalancer',
    CONTEXT.collector.loadBalancer,
  ]);
});

t.test('more regions than the template has room for are named in the title', async (t) => {
  const bedrockRegions = Array.from({ length: 30 }, (_, index) => `xx-south-${index}`);
  const { widgets } = dashboardBody({ ...CONTEXT, bedrockRegions }) as typeof body;
  const titles = widgets.map(({ properties }) => properties.title ?? '');
  const byRegion = widgets.filter(({ properties }) =>
    /\(first 16 of 30 regions\)$/.test(properties.title ?? ''),
  );
  t.equal(byRegion.length, 4);
  t.notOk(titles.some((title) => /regions/.test(title) && !/Bedrock/.test(title)));
  for (const { properties } of byRegion) {
    const shown = (properties.metrics ?? []).map(([each]) => (each as { region: string }).region);
    t.strictSame([...new Set(shown)], bedrockRegions.slice(0, 16));
  }
});

t.test('tables read the log group of the deployment', async (t) => {
  const logs = body.widgets.filter(({ type }) => type === 'log');
  t.equal(logs.length, 5);
  for (const { properties } of logs)
    t.match(properties.query, "SOURCE '/aws/claude-code/ClaudeCode/metrics' |");
  t.match(find('title').properties.markdown, 'ClaudeCode');
});

t.test('without analytics nothing asks for its delivery stream', async (t) => {
  const { deliveryStream: _, ...context } = CONTEXT;
  t.notMatch(JSON.stringify(dashboardBody(context)), 'AWS/Firehose');
  t.match(find('delivery').properties.metrics?.[0], [
    'AWS/Firehose',
    'IncomingRecords',
    'DeliveryStreamName',
    CONTEXT.deliveryStream,
  ]);
});
