import type { MetricName } from '../collector/claude-code-metrics.ts';
import type { MathSeries, Source, UsageSeries, Widget } from './widget-source.ts';

function usage(metric: MetricName, more: Partial<UsageSeries> = {}): UsageSeries {
  return { kind: 'usage', metric, ...more };
}

function math(expression: string, label: string): MathSeries {
  return { kind: 'math', expression, label };
}

function metrics(...series: (UsageSeries | MathSeries)[]): Source {
  return { kind: 'metrics', series };
}

const TOKENS = 'claude_code.token.usage';

/** Every widget, from left to right and top to bottom: a row is full at 24. */
export const WIDGETS: readonly Widget[] = [
  {
    id: 'title',
    title: '',
    says: 'The name of the deployment, and what the figures are.',
    size: [24, 2],
    view: 'text',
    source: {
      kind: 'text',
      markdown:
        '## Claude Code on Amazon Bedrock: DEPLOYMENT\nWhat Claude Code itself reports, for the time range chosen above. Costs are estimates at list price, not the bill. Tables read the log group: a longer range costs more to look at.',
    },
  },
  {
    id: 'total-tokens',
    title: 'Tokens',
    says: 'All tokens of the time range: input, output, read from and written to the prompt cache.',
    size: [4, 4],
    view: 'number',
    source: metrics(usage(TOKENS, { label: 'Tokens' })),
  },
  {
    id: 'active-users',
    title: 'Active users',
    says: 'People who used at least one token in the time range.',
    size: [4, 4],
    view: 'table',
    source: { kind: 'log', query: { by: [], measures: ['users'] } },
  },
  {
    id: 'sessions',
    title: 'Sessions',
    says: 'How often Claude Code was started.',
    size: [4, 4],
    view: 'number',
    source: metrics(usage('claude_code.session.count', { label: 'Sessions' })),
  },
  {
    id: 'cache-hit-rate',
    title: 'Cache hit rate',
    says: 'How much of what models were given to read came from the prompt cache, which costs a tenth or less. Long sessions have over 80 %; a drop means that caching was switched off or sessions became short.',
    size: [4, 4],
    view: 'number',
    unit: '%',
    source: metrics(
      usage(TOKENS, { where: { type: 'input' }, id: 'input' }),
      usage(TOKENS, { where: { type: 'cacheRead' }, id: 'cached' }),
      usage(TOKENS, { where: { type: 'cacheCreation' }, id: 'written' }),
      math('100 * cached / (input + cached + written)', 'Cache hit rate'),
    ),
  },
  {
    id: 'reported-cost',
    title: 'Cost as reported',
    says: 'What Claude Code itself computes, at the prices it was built with. The daily cost alarm watches the same metric.',
    size: [4, 4],
    view: 'number',
    unit: 'USD',
    source: metrics(usage('claude_code.cost.usage', { label: 'USD' })),
  },
  {
    id: 'active-time',
    title: 'Active time',
    says: 'Hours in which somebody typed or Claude Code worked, summed over all users. Waiting does not count.',
    size: [4, 4],
    view: 'number',
    unit: 'hours',
    source: metrics(
      usage('claude_code.active_time.total', { id: 'seconds' }),
      math('seconds / 3600', 'Hours'),
    ),
  },
  {
    id: 'tokens-by-type',
    title: 'Tokens by type',
    says: 'Tokens over time: input, output, cacheRead and cacheCreation. Mostly cacheRead is normal.',
    size: [12, 6],
    view: 'stacked',
    source: metrics(usage(TOKENS, { by: ['type'] })),
  },
  {
    id: 'tokens-by-model',
    title: 'Tokens by model',
    says: 'Tokens over time by the model id, which tells the inference profile too.',
    size: [12, 6],
    view: 'stacked',
    source: metrics(usage(TOKENS, { by: ['model'] })),
  },
  {
    id: 'active-users-by-hour',
    title: 'Active users by hour',
    says: 'People who used a token in each hour.',
    size: [12, 6],
    view: 'line',
    source: { kind: 'log', query: { by: ['hour'], measures: ['users'] } },
  },
  {
    id: 'cost-by-model',
    title: 'Cost by model',
    says: 'The reported cost over time by model. One model that suddenly grows is usually a changed default.',
    size: [12, 6],
    view: 'stacked',
    unit: 'USD',
    source: metrics(usage('claude_code.cost.usage', { by: ['model'] })),
  },
  {
    id: 'top-users',
    title: 'Top users',
    says: 'The twenty people with the most tokens.',
    size: [8, 8],
    view: 'table',
    source: {
      kind: 'log',
      query: { by: ['user'], measures: ['tokens', 'reportedUsd'], sortBy: 'tokens', limit: 20 },
    },
  },
  {
    id: 'cost-by-user-and-model',
    title: 'Estimated cost by user and model',
    says: 'The fifty most expensive pairs. listUsd is computed with the price list of this repository, reportedUsd by Claude Code. Where the two differ, one of the price lists is old; listUsd of 0 is a model that ours does not know.',
    size: [16, 8],
    view: 'table',
    unit: 'USD',
    source: {
      kind: 'log',
      query: {
        by: ['user', 'model'],
        measures: ['tokens', 'listUsd', 'reportedUsd'],
        sortBy: 'listUsd',
        limit: 50,
      },
    },
  },
  {
    id: 'tokens-by-department',
    title: 'Tokens by department',
    says: 'Tokens over time by the claim for the department; `unspecified` when the sign-in tells none.',
    size: [8, 6],
    view: 'stacked',
    source: metrics(usage(TOKENS, { by: ['department'] })),
  },
  {
    id: 'cost-by-department',
    title: 'Cost by department',
    says: 'The reported cost over the time range by department.',
    size: [8, 6],
    view: 'bar',
    unit: 'USD',
    source: metrics(usage('claude_code.cost.usage', { by: ['department'] })),
  },
  {
    id: 'teams',
    title: 'Teams',
    says: 'Tokens, people and reported cost of the twenty largest teams. From the log group, because every team would be a paid metric.',
    size: [8, 6],
    view: 'table',
    source: {
      kind: 'log',
      query: { by: ['team'], measures: ['tokens', 'users', 'reportedUsd'], sortBy: 'tokens', limit: 20 },
    },
  },
  {
    id: 'lines-of-code',
    title: 'Lines of code',
    says: 'Lines that Claude Code added and removed with its editing tools, by hour.',
    size: [8, 6],
    view: 'line',
    periodSeconds: 3_600,
    source: metrics(usage('claude_code.lines_of_code.count', { by: ['type'] })),
  },
  {
    id: 'commits-and-pull-requests',
    title: 'Commits and pull requests',
    says: 'Made through Claude Code, by hour. What people commit by hand is not seen.',
    size: [8, 6],
    view: 'line',
    periodSeconds: 3_600,
    source: metrics(
      usage('claude_code.commit.count', { label: 'Commits' }),
      usage('claude_code.pull_request.count', { label: 'Pull requests' }),
    ),
  },
  {
    id: 'edit-decisions',
    title: 'Edits by tool and decision',
    says: 'How often people accepted and rejected what the editing tools proposed. Many rejections of one tool are worth a talk with those who use it.',
    size: [8, 6],
    view: 'bar',
    source: metrics(usage('claude_code.code_edit_tool.decision', { by: ['tool_name', 'decision'] })),
  },
];
