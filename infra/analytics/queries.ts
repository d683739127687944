import { type ModelPrice, PRICES, PRICES_AS_OF } from '../prices.ts';
import { PARTITION, TABLE } from './schema.ts';

/** A query that people find ready in Athena. */
export type NamedQuery = {
  /** First part of its logical id: a contract. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Athena's dialect (Trino), of which only what DuckDB understands too is used, so that tests can run it. */
  readonly sql: string;
};

/** Rows of the last days; `day` is when they were delivered, so that no other folder is read. */
function since(days: number): string {
  return `${PARTITION.name} >= cast(cast(current_date - interval '${days}' day as date) as varchar)`;
}

/** From the first day of the month so many months ago. */
function sinceMonth(monthsAgo: number): string {
  const month = `date_trunc('month', current_date) - interval '${monthsAgo}' month`;
  return `${PARTITION.name} >= cast(cast(${month} as date) as varchar)`;
}

/**
 * `tokens`: rows of token counts with `usd`, their cost at list price, which is NULL for a model without a
 * price.
 */
export function pricedTokens(where: string, prices: readonly ModelPrice[] = PRICES): string {
  return `WITH priced AS ( -- USD for a million tokens, list prices of ${PRICES_AS_OF}
  SELECT *, ${priceOfModel(prices)} AS price
  FROM ${TABLE}
  WHERE ${where} AND name = 'token.usage'
), tokens AS (
  SELECT *, value / 1e6 * CASE WHEN model LIKE '%global.%' THEN 1e0 ELSE price[5] END
    * CASE type WHEN 'input' THEN price[1] WHEN 'output' THEN price[2]
      WHEN 'cacheRead' THEN price[3] WHEN 'cacheCreation' THEN price[4] END AS usd
  FROM priced
)`;
}

/** The first match counts, so models whose name extends another's come before it. */
function priceOfModel(prices: readonly ModelPrice[]): string {
  const groups = new Map<string, string[]>();
  for (const { model, input, output, cacheRead, cacheCreation, regionalFactor } of prices) {
    const values = [input, output, cacheRead, cacheCreation, regionalFactor].map((n) => `${n}e0`);
    const key = `ARRAY[${values.join(', ')}]`;
    groups.set(key, [...(groups.get(key) ?? []), model]);
  }
  const extendsOthers = (models: readonly string[]): number =>
    Math.max(...models.map((name) => prices.filter(({ model }) => name.includes(model)).length));
  const cases = [...groups]
    .sort(([, a], [, b]) => extendsOthers(b) - extendsOthers(a))
    .map(([values, models]) => `WHEN regexp_like(model, '${models.join('|')}') THEN ${values}`);
  return `CASE ${cases.join('\n    ')} END`;
}

const USER = `coalesce(user_email, user_id, 'unknown')`;
const REQUEST_SECONDS = `CASE WHEN name = 'api_request' THEN duration_ms / 1e3 END`;
const UNPRICED = `sum(value) FILTER (WHERE usd IS NULL) AS tokens_without_price`;

/** In the order in which the documentation lists them. */
export function namedQueries(): NamedQuery[] {
  return [
    {
      id: 'TopUsers',
      name: 'Top users',
      description: 'Tokens, sessions and cost at list price of the last 30 days by user',
      sql: `${pricedTokens(since(30))}
SELECT ${USER} AS person, sum(value) AS tokens, count(DISTINCT session_id) AS sessions,
  count(DISTINCT cast(time AS date)) AS days, round(sum(usd), 2) AS list_usd, ${UNPRICED}
FROM tokens
GROUP BY ${USER}
ORDER BY tokens DESC
LIMIT 100`,
    },
    {
      id: 'TokensByModelAndType',
      name: 'Tokens by model and type',
      description: 'Tokens and cost at list price of the last 30 days by model and type of token',
      sql: `${pricedTokens(since(30))}
SELECT model, type, sum(value) AS tokens, round(sum(usd), 2) AS list_usd
FROM tokens
GROUP BY model, type
ORDER BY model, type`,
    },
    {
      id: 'ActivityByHour',
      name: 'Activity by hour',
      description: 'When people work: by day of the week (1 is Monday) and hour (UTC) of the last 30 days',
      sql: `SELECT day_of_week(time) AS weekday, hour(time) AS hour_utc,
  count(DISTINCT ${USER}) AS people, sum(value) AS tokens
FROM ${TABLE}
WHERE ${since(30)} AND name = 'token.usage'
GROUP BY day_of_week(time), hour(time)
ORDER BY weekday, hour_utc`,
    },
    {
      id: 'ByOrganizationAndDepartment',
      name: 'By organization and department',
      description: 'People, sessions, tokens and cost at list price of the last 30 days',
      sql: `${pricedTokens(since(30))}
SELECT organization, department, count(DISTINCT ${USER}) AS people,
  count(DISTINCT session_id) AS sessions, sum(value) AS tokens, round(sum(usd), 2) AS list_usd
FROM tokens
GROUP BY organization, department
ORDER BY tokens DESC`,
    },
    {
      id: 'RequestsAndTokensPerMinute',
      name: 'Requests and tokens per minute',
      description: 'Of the last day, to compare with the quotas of Bedrock; cached tokens apart',
      sql: `SELECT date_trunc('minute', time) AS minute, model, count(*) AS requests,
  sum(input_tokens + cache_creation_tokens + output_tokens) AS tokens,
  sum(cache_read_tokens) AS cached_tokens
FROM ${TABLE}
WHERE ${since(1)} AND name = 'api_request'
GROUP BY date_trunc('minute', time), model
ORDER BY minute, model`,
    },
    {
      id: 'SessionAnalysis',
      name: 'Session analysis',
      description: 'The 200 longest sessions of the last 7 days: length, requests, errors, tokens, cost',
      sql: `SELECT session_id, min(${USER}) AS person, min(time) AS began,
  round((to_unixtime(max(time)) - to_unixtime(min(time))) / 60e0, 1) AS minutes,
  count(*) FILTER (WHERE name = 'user_prompt') AS prompts,
  count(*) FILTER (WHERE name = 'api_request') AS requests,
  count(*) FILTER (WHERE name = 'api_error') AS errors,
  sum(value) FILTER (WHERE name = 'token.usage') AS tokens,
  round(sum(value) FILTER (WHERE name = 'cost.usage'), 2) AS reported_usd
FROM ${TABLE}
WHERE ${since(7)} AND session_id IS NOT NULL
GROUP BY session_id
ORDER BY minutes DESC, session_id
LIMIT 200`,
    },
    {
      id: 'CostAttribution',
      name: 'Cost attribution',
      description: 'Whom to charge: cost at list price of this month by cost center, department and team',
      sql: `${pricedTokens(sinceMonth(0))}
SELECT cost_center, department, team_id, count(DISTINCT ${USER}) AS people,
  round(sum(usd), 2) AS list_usd, round(1e2 * sum(usd) / sum(sum(usd)) OVER (), 1) AS percent, ${UNPRICED}
FROM tokens
WHERE time >= date_trunc('month', current_date)
GROUP BY cost_center, department, team_id
ORDER BY list_usd DESC`,
    },
    {
      id: 'MonthlyCostPerUser',
      name: 'Monthly cost per user',
      description: 'Cost at list price of this month and the two before, by user',
      sql: `${pricedTokens(sinceMonth(2))}
SELECT cast(date_trunc('month', time) AS date) AS month, ${USER} AS person,
  sum(value) AS tokens, round(sum(usd), 2) AS list_usd, ${UNPRICED}
FROM tokens
GROUP BY date_trunc('month', time), ${USER}
ORDER BY month, list_usd DESC`,
    },
    {
      id: 'PeakUsage',
      name: 'Peak usage',
      description: 'The 50 busiest hours of the last 30 days',
      sql: `SELECT date_trunc('hour', time) AS hour_utc, sum(value) FILTER (WHERE name = 'token.usage') AS tokens,
  count(DISTINCT ${USER}) AS people, count(DISTINCT session_id) AS sessions,
  count(*) FILTER (WHERE name = 'api_request') AS requests
FROM ${TABLE}
WHERE ${since(30)}
GROUP BY date_trunc('hour', time)
ORDER BY tokens DESC NULLS LAST
LIMIT 50`,
    },
    {
      id: 'ResponseTimesAndErrors',
      name: 'Response times and errors',
      description: 'As Claude Code saw them in the last 7 days, by model; seconds',
      sql: `SELECT model, count(*) FILTER (WHERE name = 'api_request') AS requests,
  round(approx_percentile(${REQUEST_SECONDS}, 0.5e0), 1) AS median_seconds,
  round(approx_percentile(${REQUEST_SECONDS}, 0.95e0), 1) AS p95_seconds,
  count(*) FILTER (WHERE name = 'api_error') AS errors,
  count(*) FILTER (WHERE name = 'api_error' AND status_code = '429') AS throttles
FROM ${TABLE}
WHERE ${since(7)} AND name IN ('api_request', 'api_error')
GROUP BY model
ORDER BY requests DESC`,
    },
  ];
}
