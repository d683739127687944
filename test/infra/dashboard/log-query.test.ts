import t from 'tap';
import { TOKEN_TYPES } from '../../../infra/collector/claude-code-metrics.ts';
import { costFields, logsInsights } from '../../../infra/dashboard/log-query.ts';
import { PRICES, priceOf, regionFactor } from '../../../infra/prices.ts';

/** CloudWatch's limit for a query. */
const QUERY_MAX_CHARACTERS = 10_000;

/** Computes the steps `fields a as b, …` of a query for one record, as CloudWatch would: arithmetic and strcontains. */
function compute(steps: readonly string[], record: Readonly<Record<string, unknown>>): Map<string, number> {
  const known = new Map<string, number>();
  const strcontains = (text: unknown, part: string): number => (String(text).includes(part) ? 1 : 0);
  const evaluate = (expression: string): number => {
    const code = expression
      .replace(/`([^`]+)`/g, (_, field: string) => JSON.stringify(record[field]))
      .replace(/\b(m\d+|regional)\b/g, (name) => String(known.get(name)));
    return Number(new Function('strcontains', `return ${code};`)(strcontains));
  };
  for (const step of steps) {
    for (const [, expression = '', name = ''] of step
      .replace(/^fields /, '')
      .matchAll(/(.+?) as (\w+)(?:, |$)/g)) {
      known.set(name, evaluate(expression));
    }
  }
  return known;
}

t.test('the price of every model, type and place is that of the table', async (t) => {
  const steps = costFields(PRICES);
  for (const { model } of PRICES) {
    for (const id of [`global.anthropic.${model}-20260101-v1:0`, `eu.anthropic.${model}`]) {
      for (const type of TOKEN_TYPES) {
        const record = { model: id, type, 'claude_code.token.usage': 1_000 };
        const price = priceOf(id);
        const expected = price ? 1_000 * price[type] * regionFactor(id, price) : Number.NaN;
        const microUsd = compute(steps, record).get('microUsd') ?? Number.NaN;
        t.ok(Math.abs(microUsd - expected) < 1e-6 * expected, `${id} ${type}: ${microUsd}`);
      }
    }
  }
});

t.test('an unknown model has no cost', async (t) => {
  const record = { model: 'amazon.nova-pro-v1:0', type: 'input', 'claude_code.token.usage': 1_000 };
  t.equal(compute(costFields(PRICES), record).get('microUsd'), 0);
});

t.test('a query groups, measures, sorts and limits', async (t) => {
  t.equal(
    logsInsights({ by: ['team'], measures: ['tokens', 'users'], sortBy: 'tokens', limit: 5 }),
    [
      'filter ispresent(`claude_code.token.usage`) or ispresent(`claude_code.cost.usage`)',
      '| fields `team.id` as teamName, coalesce(`user.email`, `user.id`) as userName',
      '| stats sum(`claude_code.token.usage`) as tokens, count_distinct(userName) as users by teamName',
      '| sort tokens desc',
      '| limit 5',
    ].join('\n'),
  );
  t.match(logsInsights({ by: ['hour'], measures: ['users'] }), /stats .* by bin\(1h\)$/);
});

t.test('the longest query is within the limit of CloudWatch', async (t) => {
  const query = logsInsights({ by: ['user', 'model'], measures: ['tokens', 'listUsd', 'reportedUsd'] });
  t.ok(query.length < QUERY_MAX_CHARACTERS, `${query.length} characters`);
});
