import t from 'tap';
import { PRICES, PRICES_AS_OF, priceOf, regionFactor } from '../../infra/prices.ts';

t.test('model ids in every form find their price', async (t) => {
  const ids: Readonly<Record<string, string | undefined>> = {
    'eu.anthropic.claude-opus-4-5-20251101-v1:0': 'claude-opus-4-5',
    'global.anthropic.claude-opus-5-5': 'claude-opus-5-5',
    'us.anthropic.claude-opus-5[1m]': 'claude-opus-5',
    'anthropic.claude-haiku-4-5-20251001-v1:0': 'claude-haiku-4-5',
    'arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-sonnet-5': 'claude-sonnet-5',
    'arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3': undefined,
    'amazon.nova-pro-v1:0': undefined,
  };
  for (const [id, model] of Object.entries(ids)) t.equal(priceOf(id)?.model, model, id);
});

t.test('only global inference profiles have no surcharge', async (t) => {
  const price = priceOf('anthropic.claude-sonnet-5');
  if (!price) throw new Error('no price of Sonnet 5');
  t.equal(regionFactor('global.anthropic.claude-sonnet-5', price), 1);
  t.equal(regionFactor('eu.anthropic.claude-sonnet-5', price), 1.1);
});

t.test('the table is plausible: no model twice, caches cheaper to read than to fill, a date', async (t) => {
  t.equal(new Set(PRICES.map(({ model }) => model)).size, PRICES.length);
  for (const { model, input, output, cacheRead, cacheCreation } of PRICES) {
    t.ok(cacheRead < input && input < cacheCreation && cacheCreation < output, model);
  }
  t.match(PRICES_AS_OF, /^\d{4}-\d\d-\d\d$/);
});
