import { TOKEN_TYPES, type TokenType } from '../collector/claude-code-metrics.ts';
import { type ModelPrice, PRICES } from '../prices.ts';
import type { LogField, LogQuery, Measure } from './widget-source.ts';

const TOKENS = '`claude_code.token.usage`';
const COST = '`claude_code.cost.usage`';

const FIELDS: Readonly<Record<Exclude<LogField, 'hour'>, string>> = {
  // Without an e-mail address from the sign-in, Claude Code's own id of the installation.
  user: 'coalesce(`user.email`, `user.id`)',
  model: '`model`',
  team: '`team.id`',
};

const MEASURES: Readonly<Record<Measure, string>> = {
  tokens: `sum(${TOKENS})`,
  listUsd: 'sum(microUsd) / 1000000',
  reportedUsd: `sum(${COST})`,
  users: 'count_distinct(userName)',
};

/** The query in the language of CloudWatch Logs Insights. */
export function logsInsights(query: LogQuery, prices: readonly ModelPrice[] = PRICES): string {
  const { by, measures, sortBy, limit } = query;
  const names = new Set(by.filter((field) => field !== 'hour'));
  if (measures.includes('users')) names.add('user');
  const groups = by.map((field) => (field === 'hour' ? 'bin(1h)' : `${field}Name`));
  return [
    `filter ispresent(${TOKENS}) or ispresent(${COST})`,
    `fields ${[...names].map((field) => `${FIELDS[field]} as ${field}Name`).join(', ')}`,
    ...(measures.includes('listUsd') ? costFields(prices) : []),
    `stats ${measures.map((measure) => `${MEASURES[measure]} as ${measure}`).join(', ')}${
      groups.length > 0 ? ` by ${groups.join(', ')}` : ''
    }`,
    ...(sortBy ? [`sort ${sortBy} desc`] : []),
    ...(limit ? [`limit ${limit}`] : []),
  ].join('\n| ');
}

/**
 * Steps that make `microUsd`, the list price of a record's tokens in millionths of a USD, from its `model`
 * and `type`. The language knows no conditions, but `strcontains` gives 1 or 0. A model whose name another
 * one's contains (`claude-opus-5` and `claude-opus-5-5`) counts for both, and the longer one with what is
 * missing to its own price. An unknown model costs nothing, which stands out beside what Claude Code
 * reports.
 */
export function costFields(prices: readonly ModelPrice[]): string[] {
  const flags = prices.map(({ model }, index) => `strcontains(\`model\`, "${model}") as m${index}`);
  const perType = TOKEN_TYPES.map((type) => {
    const everywhere = products(prices, (price) => price[type]);
    const surcharge = products(prices, (price) => surchargeOf(price, type));
    return `strcontains(\`type\`, "${type}") * (${everywhere} + regional * (${surcharge}))`;
  });
  return [
    `fields ${flags.join(', ')}, 1 - strcontains(\`model\`, "global.") as regional`,
    `fields ${TOKENS} * (${perType.join(' + ')}) as microUsd`,
  ];
}

function surchargeOf(price: ModelPrice, type: TokenType): number {
  return price[type] * (price.regionalFactor - 1);
}

/** Sum of each model's flag times what its value exceeds that of the model whose name it extends. */
function products(prices: readonly ModelPrice[], of: (price: ModelPrice) => number): string {
  const flags = new Map<number, string[]>();
  for (const [index, price] of prices.entries()) {
    const parent = extended(price, prices);
    // Six digits: what floating point leaves of 0.1 - 0.01 is no price.
    const factor = Number((of(price) - (parent ? of(parent) : 0)).toFixed(6));
    if (factor !== 0) flags.set(factor, [...(flags.get(factor) ?? []), `m${index}`]);
  }
  const terms = [...flags].map(([factor, names]) => `${factor} * (${names.join(' + ')})`);
  return terms.join(' + ').replaceAll('+ -', '- ') || '0';
}

/** The model with the longest name that is part of this one's. */
function extended(price: ModelPrice, prices: readonly ModelPrice[]): ModelPrice | undefined {
  return prices
    .filter(({ model }) => model !== price.model && price.model.includes(model))
    .sort((a, b) => b.model.length - a.model.length)[0];
}
