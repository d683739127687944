/**
 * Which of Claude Code's measurements become CloudWatch metrics, and by what they can be told apart there.
 *
 * CloudWatch asks a price for every metric that gets a value in an hour, and each combination of values of a
 * dimension set is one. So the sets are bounded: none holds a user or a session, of which there may be any
 * number. Those are in the log group of the metrics, whole, for Logs Insights and for analytics to count.
 */

/** Names of what tells measurements apart: attributes of Claude Code's own, or of the headers it sends. */
export type Dimension =
  | 'deployment.environment'
  | 'type'
  | 'model'
  | 'department'
  | 'team.id'
  | 'tool_name'
  | 'decision';

export type MetricDimensions = {
  readonly metric: string;
  /** Each set is published by itself; the first one is the total. */
  readonly sets: readonly (readonly Dimension[])[];
};

/** One value in a deployment, so a set of it alone is the sum over everybody. */
export const TOTAL: readonly Dimension[] = ['deployment.environment'];

export const METRIC_DIMENSIONS: readonly MetricDimensions[] = [
  {
    metric: 'claude_code.token.usage',
    sets: [TOTAL, ['type'], ['model', 'type'], ['department'], ['team.id']],
  },
  { metric: 'claude_code.cost.usage', sets: [TOTAL, ['model'], ['department'], ['team.id']] },
  { metric: 'claude_code.session.count', sets: [TOTAL, ['department'], ['team.id']] },
  { metric: 'claude_code.lines_of_code.count', sets: [TOTAL, ['type']] },
  { metric: 'claude_code.commit.count', sets: [TOTAL] },
  { metric: 'claude_code.pull_request.count', sets: [TOTAL] },
  { metric: 'claude_code.active_time.total', sets: [TOTAL] },
  { metric: 'claude_code.code_edit_tool.decision', sets: [TOTAL, ['decision', 'tool_name']] },
];

/** How many values a dimension takes, where the organisation decides it. */
export type Sizes = { readonly models: number; readonly departments: number; readonly teams: number };

// As Claude Code documents them: four types of tokens (lines of code have two), three tools that edit, and
// accept or reject.
const FIXED_VALUES = { type: 4, tool_name: 3, decision: 2, 'deployment.environment': 1 } as const;

/** The most CloudWatch metrics a deployment can have in an hour: what its bill for them is counted from. */
export function countMetrics({ models, departments, teams }: Sizes): number {
  const values: Readonly<Record<Dimension, number>> = {
    ...FIXED_VALUES,
    model: models,
    department: departments,
    'team.id': teams,
  };
  const sets = METRIC_DIMENSIONS.flatMap(({ sets }) => sets);
  return sets.reduce((sum, set) => sum + set.reduce((product, name) => product * values[name], 1), 0);
}
