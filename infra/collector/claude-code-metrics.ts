/**
 * Metrics of Claude Code and their dimensions in CloudWatch. The collector's configuration, the dashboard,
 * the alarms and the cost estimate all use this table.
 *
 * Source: Claude Code's documentation, "Monitoring".
 */

/** Dimensions as the collector writes them: attributes of Claude Code, or claims by way of otel-helper. */
export type Dimension = 'deployment.environment' | 'type' | 'model' | 'department' | 'tool_name' | 'decision';

/** One value in a deployment, so a set of it alone is the sum over everybody. */
export const TOTAL: readonly Dimension[] = ['deployment.environment'];

export type MetricName =
  | 'claude_code.token.usage'
  | 'claude_code.cost.usage'
  | 'claude_code.session.count'
  | 'claude_code.lines_of_code.count'
  | 'claude_code.commit.count'
  | 'claude_code.pull_request.count'
  | 'claude_code.active_time.total'
  | 'claude_code.code_edit_tool.decision';

export type MetricDeclaration = {
  /**
   * Unit in CloudWatch's words. Claude Code's own ("tokens", "USD") are none of them, and a record with
   * such a unit is not turned into a metric: the collector replaces it.
   */
  readonly unit: 'Count' | 'None' | 'Seconds';
  /**
   * Each set makes one paid metric for every combination of its values. Only dimensions whose values are
   * few: whatever grows with the number of users (user, session, team) is asked of the log group instead.
   */
  readonly dimensionSets: readonly (readonly Dimension[])[];
};

export const METRICS: Readonly<Record<MetricName, MetricDeclaration>> = {
  'claude_code.token.usage': { unit: 'Count', dimensionSets: [TOTAL, ['type'], ['model'], ['department']] },
  'claude_code.cost.usage': { unit: 'None', dimensionSets: [TOTAL, ['model'], ['department']] },
  'claude_code.session.count': { unit: 'Count', dimensionSets: [TOTAL] },
  'claude_code.lines_of_code.count': { unit: 'Count', dimensionSets: [['type']] },
  'claude_code.commit.count': { unit: 'Count', dimensionSets: [TOTAL] },
  'claude_code.pull_request.count': { unit: 'Count', dimensionSets: [TOTAL] },
  'claude_code.active_time.total': { unit: 'Seconds', dimensionSets: [TOTAL] },
  'claude_code.code_edit_tool.decision': { unit: 'Count', dimensionSets: [['tool_name', 'decision']] },
};

/** Values of the dimensions that Claude Code itself sets. */
export const TOKEN_TYPES = ['input', 'output', 'cacheRead', 'cacheCreation'] as const;
export type TokenType = (typeof TOKEN_TYPES)[number];

/**
 * Returns the largest number of metrics that CloudWatch bills.
 *
 * @param values number of different values of each dimension, e.g. `{ model: 3, type: 4, … }`.
 */
export function countMetrics(
  values: Readonly<Record<Exclude<Dimension, 'deployment.environment'>, number>>,
): number {
  const counts: Readonly<Record<Dimension, number>> = { ...values, 'deployment.environment': 1 };
  const sets = Object.values(METRICS).flatMap(({ dimensionSets }) => dimensionSets);
  return sets.reduce(
    (sum, set) => sum + set.reduce((product, dimension) => product * counts[dimension], 1),
    0,
  );
}
