/** The summary that a person confirms: the values to be saved, and their estimated cost. */

import { AWS_PRICES, type CostEstimate, furtherTrailUsd, monthlyCost } from '../../infra/cost.ts';
import { stacksOf } from '../../infra/outputs.ts';
import { GEOGRAPHIES } from '../../infra/profile/geographies.ts';
import type { IdentityProvider } from '../../protocol/issuer.ts';
import type { AdminProfile } from '../profiles/admin-profile.ts';
import {
  bedrockRegionsOf,
  federationOf,
  geographiesOf,
  globalInferenceOf,
  providerOf,
  regionOf,
  sessionSecondsOf,
  textField,
} from '../profiles/profile-values.ts';
import { paragraph } from '../terminal/text.ts';
import type { LiveCheckResults } from './question.ts';

import { PROVIDER_NAMES } from './steps/provider-answers.ts';

export type SummaryRow = readonly [label: string, value: string];

/** Returns the chosen values, a line for each subject. */
export function summaryRows(profile: AdminProfile, { identity }: LiveCheckResults): SummaryRow[] {
  const { config, infra, claude } = profile;
  const provider = providerOf(profile);
  const { accessGroups, audit } = infra;
  return [
    ['Profile', profile.name],
    ['Provider', provider ? providerWords(provider) : 'not known'],
    ['Client id', textField(profile, 'client_id') ?? 'not known'],
    ['Federation', federationWords(profile)],
    ['AWS', `${identity ? `account ${identity.account}, ` : ''}${regionOf(profile)}`],
    ['Models run in', placesOf(profile)],
    ['Global inference', globalInferenceOf(profile) ? 'yes' : 'no'],
    ['Models', infra.bedrock?.models?.join(', ') ?? 'all'],
    ['Claude Code', claude.model ?? 'its own choice of model'],
    ['Sign-in kept in', config.credential_storage === 'keyring' ? 'the keyring' : 'a file until logout'],
    [
      'Who',
      accessGroups ? `${accessGroups.claim}: ${accessGroups.groups.join(', ')}` : 'everyone who can sign in',
    ],
    ['Audit trail', audit ? `${audit.retentionDays ?? 90} days` : 'none'],
    ['Monitoring', monitoringWords(profile)],
    ['Stacks', stacksFor(profile).join(', ')],
  ];
}

function placesOf(profile: AdminProfile): string {
  const regions = bedrockRegionsOf(profile).join(', ');
  const chosen = geographiesOf(profile);
  const labels = GEOGRAPHIES.filter(({ id }) => chosen.includes(id)).map(
    ({ id, label }) => `${label} (${id}.)`,
  );
  return labels.length === 0 ? regions : `${labels.join(', ')}, called from ${regions}`;
}

export function stacksFor({ infra }: AdminProfile): string[] {
  return stacksOf(infra);
}

function providerWords({ providerType, issuer }: IdentityProvider): string {
  return providerType === 'generic' ? issuer : `${PROVIDER_NAMES[providerType]}, ${issuer}`;
}

function federationWords(profile: AdminProfile): string {
  if (federationOf(profile) === 'cognito') return 'Cognito identity pool, credentials of an hour';
  const hours = sessionSecondsOf(profile) / 3_600;
  return `IAM alone, credentials of ${Number(hours.toFixed(2))} hours`;
}

function monitoringWords({ infra }: AdminProfile): string {
  const { monitoring } = infra;
  if (!monitoring) return 'off';
  const { network, domain, alarms, analytics } = monitoring;
  return [
    network.type === 'new' ? `new network, ${network.tasks}` : network.vpcId,
    domain ? `https://${domain.name}` : 'http, without a check of tokens',
    ...(alarms ? [`alarms${alarms.email ? ` to ${alarms.email}` : ''}`] : []),
    ...(analytics ? ['analytics'] : []),
  ].join('; ');
}

/** Formats rows as lines of a maximal width; a changed row also shows its old value. */
export function rowLines(
  rows: readonly SummaryRow[],
  before: readonly SummaryRow[] | undefined,
  columns: number,
): string[] {
  const label = Math.max(...rows.map(([each]) => each.length)) + 2;
  const was = new Map(before ?? []);
  return rows.flatMap(([name, value]) => {
    const earlier = was.get(name);
    const changed = earlier !== undefined && earlier !== value;
    const told = paragraph(value, columns, name.padEnd(label));
    const then = changed ? paragraph(`was ${earlier}`, columns, ' '.repeat(label)) : '';
    return `${told}${then}`.trimEnd().split('\n');
  });
}

/** Returns the monthly cost of a profile's AWS resources; undefined when they cost nothing. */
export function estimateOf({ infra, users = 100 }: AdminProfile): CostEstimate | undefined {
  const { audit, monitoring } = infra;
  if (!audit && !monitoring) return undefined;
  return monthlyCost({
    users,
    auditDays: audit?.retentionDays,
    monitoring: monitoring && {
      network: monitoring.network.type === 'new' ? monitoring.network.tasks : 'existing',
      alarms: monitoring.alarms !== undefined,
      analytics: monitoring.analytics !== undefined,
    },
  });
}

/** Formats the estimate as a table of a maximal width. */
export function costLines(profile: AdminProfile, columns: number): string[] {
  const { users = 100 } = profile;
  const people = `${users.toLocaleString('en-US')} ${users === 1 ? 'person' : 'people'}`;
  const estimate = estimateOf(profile);
  if (!estimate) {
    return [
      `A month for ${people}: $0.00. Identity pools and roles are free;`,
      'models are billed by Bedrock.',
    ];
  }
  const width = Math.min(columns, 62);
  const row = (what: string, usd: number): string => {
    const amount = money(usd);
    return `${what}${' '.repeat(Math.max(1, width - what.length - amount.length))}${amount}`;
  };
  const { items, totalUsd } = estimate;
  return [
    `A month for ${people}, by AWS's list prices of ${AWS_PRICES.asOf}`,
    '',
    ...items.map(({ what, usd }) => row(what, usd)),
    '─'.repeat(width),
    row('Total, without the models', totalUsd),
    row('For each person', totalUsd / users),
    ...(profile.infra.audit ? ['', ...furtherTrailLines(users, width)] : []),
  ];
}

function furtherTrailLines(users: number, columns: number): string[] {
  const more = money(furtherTrailUsd(users));
  const text = `The audit trail costs ${more} more where the account has a trail of management events already: AWS gives only the first copy of them away.`;
  return paragraph(text, columns).trimEnd().split('\n');
}

function money(usd: number): string {
  return `$${usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}
