import t, { type Test } from 'tap';
import { namedQueries, pricedTokens } from '../../../infra/analytics/queries.ts';
import { PRICES, priceOf, regionFactor } from '../../../infra/prices.ts';
import { fences, readText } from '../../../tools/docs/pages.ts';
import { DeliveryStream } from '../fixtures/delivery-stream.ts';
import { ask, insertRows, MACROS, openTable, type Row, translated } from '../fixtures/duckdb.ts';
import { ADA, emf, eventRecord, type Labels, type LogEvent, packed } from '../fixtures/emf.ts';

/** A Tuesday. */
const TODAY = '2026-03-31';
const SONNET = 'eu.anthropic.claude-sonnet-5';
const OPUS = 'global.anthropic.claude-opus-5-5';
const UNKNOWN = 'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/x1';

const GRACE: Labels = {
  ...ADA,
  'user.email': 'grace@company.example',
  'user.id': '22222222-3333-4444-8555-666666666666',
  department: 'research',
  'team.id': 'languages',
  cost_center: 'cc-7',
  'session.id': 'a0000000-0000-4000-8000-000000000002',
};

function at(day: string, time: string): number {
  return Date.parse(`${day}T${time}Z`);
}

function tokens(
  who: Labels,
  day: string,
  time: string,
  model: string,
  type: string,
  count: number,
): LogEvent {
  const timestamp = at(day, time);
  const message = emf({ 'claude_code.token.usage': count }, { ...who, model, type }, timestamp);
  return { id: '1', timestamp, message };
}

function happened(
  who: Labels,
  day: string,
  time: string,
  name: string,
  attributes: Record<string, string | number>,
): LogEvent {
  return { id: '1', timestamp: at(day, time), message: eventRecord(name, attributes, who) };
}

function request(who: Labels, time: string, model: string, ms: number): LogEvent {
  const attributes = {
    model,
    duration_ms: ms,
    input_tokens: 100,
    output_tokens: 10,
    cache_read_tokens: 1_000,
    cache_creation_tokens: 50,
  };
  return happened(who, TODAY, time, 'api_request', attributes);
}

const USD_EVENT = {
  id: '1',
  timestamp: at(TODAY, '09:30:00'),
  message: emf({ 'claude_code.cost.usage': 1.5 }, { ...ADA, model: SONNET }, at(TODAY, '09:30:00')),
};

const EVENTS: LogEvent[] = [
  // Ada, today: 2 M input (2 USD each, 1.1 for the region) and 10 M from the cache (0.2 each).
  tokens(ADA, TODAY, '09:15:00', SONNET, 'input', 2_000_000),
  tokens(ADA, TODAY, '09:30:00', SONNET, 'cacheRead', 10_000_000),
  // Grace, yesterday and today: 1 M output of Opus through a global profile (20 USD).
  tokens(GRACE, '2026-03-30', '22:10:00', OPUS, 'output', 1_000_000),
  tokens(GRACE, TODAY, '09:45:00', UNKNOWN, 'input', 500),
  // Ada last month and in January; nobody asks for December.
  tokens(ADA, '2026-02-10', '10:00:00', OPUS, 'output', 1_000_000),
  tokens(ADA, '2026-01-02', '10:00:00', OPUS, 'input', 1_000_000),
  tokens(ADA, '2025-12-31', '10:00:00', OPUS, 'input', 9_000_000),
  USD_EVENT,
  happened(ADA, TODAY, '09:10:00', 'user_prompt', { prompt_length: 12 }),
  request(ADA, '09:20:10', SONNET, 1_000),
  request(ADA, '09:20:50', SONNET, 3_000),
  request(GRACE, '09:21:00', SONNET, 9_000),
  happened(ADA, TODAY, '09:22:00', 'api_error', { model: SONNET, status_code: 429, duration_ms: 10 }),
  happened(ADA, TODAY, '09:40:00', 'api_error', { model: SONNET, status_code: 500, duration_ms: 10 }),
];

/** Results of every named query on {@link EVENTS}, which went through the transform. */
async function results(t: Test): Promise<Record<string, Row[]>> {
  const { rows, failed } = await new DeliveryStream().deliver([packed(EVENTS)], 1);
  t.strictSame(failed, []);
  const connection = await openTable();
  await insertRows(connection, t.testdir(), rows);
  const found: Record<string, Row[]> = {};
  for (const { id, sql } of namedQueries()) found[id] = await ask(connection, translated(sql, TODAY));
  return found;
}

t.test('the named queries return the expected rows', async (t) => {
  const found = await results(t);
  const check = (id: string, expected: Row[]): void => {
    t.strictSame(found[id], expected, id);
    delete found[id];
  };
  const [ada, grace] = ['ada@company.example', 'grace@company.example'];
  check('TopUsers', [
    { person: ada, tokens: 12_000_000, sessions: 1, days: 1, list_usd: 6.6, tokens_without_price: null },
    { person: grace, tokens: 1_000_500, sessions: 1, days: 2, list_usd: 20, tokens_without_price: 500 },
  ]);
  check('TokensByModelAndType', [
    { model: UNKNOWN, type: 'input', tokens: 500, list_usd: null },
    { model: SONNET, type: 'cacheRead', tokens: 10_000_000, list_usd: 2.2 },
    { model: SONNET, type: 'input', tokens: 2_000_000, list_usd: 4.4 },
    { model: OPUS, type: 'output', tokens: 1_000_000, list_usd: 20 },
  ]);
  check('ActivityByHour', [
    { weekday: 1, hour_utc: 22, people: 1, tokens: 1_000_000 },
    { weekday: 2, hour_utc: 9, people: 2, tokens: 12_000_500 },
  ]);
  const company = { organization: 'company', people: 1, sessions: 1 };
  check('ByOrganizationAndDepartment', [
    { ...company, department: 'engineering', tokens: 12_000_000, list_usd: 6.6 },
    { ...company, department: 'research', tokens: 1_000_500, list_usd: 20 },
  ]);
  check('RequestsAndTokensPerMinute', [
    { minute: '2026-03-31 09:20:00', model: SONNET, requests: 2, tokens: 320, cached_tokens: 2_000 },
    { minute: '2026-03-31 09:21:00', model: SONNET, requests: 1, tokens: 160, cached_tokens: 1_000 },
  ]);
  check('SessionAnalysis', [
    {
      session_id: GRACE['session.id'] ?? '',
      person: grace,
      began: '2026-03-30 22:10:00',
      minutes: 695,
      prompts: 0,
      requests: 1,
      errors: 0,
      tokens: 1_000_500,
      reported_usd: null,
    },
    {
      session_id: ADA['session.id'] ?? '',
      person: ada,
      began: '2026-03-31 09:10:00',
      minutes: 30,
      prompts: 1,
      requests: 2,
      errors: 2,
      tokens: 12_000_000,
      reported_usd: 1.5,
    },
  ]);
  check('CostAttribution', [
    {
      cost_center: 'cc-7',
      department: 'research',
      team_id: 'languages',
      people: 1,
      list_usd: 20,
      percent: 75.2,
      tokens_without_price: 500,
    },
    {
      cost_center: 'cc-42',
      department: 'engineering',
      team_id: 'compilers',
      people: 1,
      list_usd: 6.6,
      percent: 24.8,
      tokens_without_price: null,
    },
  ]);
  check('MonthlyCostPerUser', [
    { month: '2026-01-01', person: ada, tokens: 1_000_000, list_usd: 4, tokens_without_price: null },
    { month: '2026-02-01', person: ada, tokens: 1_000_000, list_usd: 20, tokens_without_price: null },
    { month: '2026-03-01', person: grace, tokens: 1_000_500, list_usd: 20, tokens_without_price: 500 },
    { month: '2026-03-01', person: ada, tokens: 12_000_000, list_usd: 6.6, tokens_without_price: null },
  ]);
  check('PeakUsage', [
    { hour_utc: '2026-03-31 09:00:00', tokens: 12_000_500, people: 2, sessions: 2, requests: 3 },
    { hour_utc: '2026-03-30 22:00:00', tokens: 1_000_000, people: 1, sessions: 1, requests: 0 },
  ]);
  check('ResponseTimesAndErrors', [
    { model: SONNET, requests: 3, median_seconds: 3, p95_seconds: 9, errors: 2, throttles: 1 },
  ]);
  t.strictSame(found, {}, 'every query has its results here');
});

t.test('the queries price every model, type and place as the table does', async (t) => {
  const connection = await openTable();
  const ids = PRICES.flatMap(({ model }) => [`global.anthropic.${model}-v1:0`, `us.anthropic.${model}`]);
  const types = ['input', 'output', 'cacheRead', 'cacheCreation'] as const;
  const rows = ids.flatMap((model) =>
    types.map((type) => ({ time: `${TODAY} 00:00:00.000`, name: 'token.usage', value: 1e6, model, type })),
  );
  await insertRows(connection, t.testdir(), rows);
  const found = await ask(connection, `${pricedTokens('true')} SELECT model, type, usd FROM tokens`);
  t.equal(found.length, rows.length);
  for (const { model, type, usd } of found) {
    const price = priceOf(String(model));
    const expected = price ? price[type as (typeof types)[number]] * regionFactor(String(model), price) : 0;
    t.ok(Math.abs(Number(usd) - expected) < 1e-9, `${model} ${type}: ${usd}`);
  }
});

t.test('Athena and DuckDB differ only in the listed functions', async (t) => {
  t.equal(
    translated("day >= cast(current_date as varchar) -- 'x'", TODAY),
    `day >= cast(DATE '${TODAY}' as varchar) -- 'x'`,
  );
  const used = new Set(
    namedQueries().flatMap(({ sql }) => [...sql.matchAll(/\b([a-z_]+)\(/g)].map(([, f]) => f)),
  );
  const shared = ['cast', 'coalesce', 'count', 'date_trunc', 'hour', 'length', 'max', 'min', 'round', 'sum'];
  t.strictSame(
    [...used].filter((name) => !shared.includes(name ?? '')).sort(),
    Object.keys(MACROS).sort(),
    'functions that are not the same in both',
  );
});

t.test('the macros behave as Athena documents its functions', async (t) => {
  const connection = await openTable();
  const [row] = await ask(
    connection,
    `SELECT day_of_week(TIMESTAMP '2026-03-30 00:00:00') AS monday, day_of_week(DATE '2026-04-05') AS sunday,
      to_unixtime(TIMESTAMP '1970-01-01 00:01:00.5') AS seconds,
      regexp_like('eu.anthropic.claude-opus-5', 'opus-4|opus-5') AS found, regexp_like('x', 'y') AS missing,
      (SELECT approx_percentile(x, 0.5e0) FROM (VALUES (1), (2), (9)) AS v(x)) AS median`,
  );
  t.strictSame(row, { monday: 1, sunday: 7, seconds: 60.5, found: 'true', missing: 'false', median: 2 });
});

t.test('every query limits the days it reads', async (t) => {
  for (const { id, sql } of namedQueries()) t.match(sql, /\bday >= cast\(/, id);
});

t.test('the examples in docs/analytics.md run', async (t) => {
  const examples = fences(readText('docs/analytics.md')).filter(({ language }) => language === 'sql');
  t.ok(examples.length > 0);
  const connection = await openTable();
  const rows = [{ time: `${TODAY} 10:00:00.000`, name: 'session.count', user_email: 'ada', session_id: '1' }];
  await insertRows(connection, t.testdir(), rows);
  for (const { text } of examples) {
    t.strictSame(await ask(connection, translated(text, TODAY)), [{ user_email: 'ada', sessions: 1 }]);
  }
});
