/** Questions about the use of telemetry: logs, alarms, analytics. */

import type { AdminProfile } from '../../profiles/admin-profile.ts';
import type { MonitoringSettings } from '../../profiles/infra-file.ts';
import { DEFAULT_RETENTION_DAYS } from '../../profiles/infra-profile.ts';
import { type Changes, changed, withMonitoring } from '../edit.ts';
import { type HasProfile, question } from '../question.ts';

export function monitoringOf({ infra }: AdminProfile): MonitoringSettings | undefined {
  return infra.monitoring;
}

export function isMonitored({ profile }: HasProfile): boolean {
  return monitoringOf(profile) !== undefined;
}

const hasAlarms = ({ profile }: HasProfile): boolean => monitoringOf(profile)?.alarms !== undefined;
const hasAnalytics = ({ profile }: HasProfile): boolean => monitoringOf(profile)?.analytics !== undefined;

/** Default thresholds of the alarms: ten heavy days of work, and a thousandth of their calls. */
const ALARMS = { tokensPerHour: 50_000_000, dailyCostUsd: 500, bedrockErrorsPerHour: 100 };
/** Default retention: data stays readable at low cost for a quarter, as in the estimate; results for a week. */
const ANALYTICS = { glacierAfterDays: 90, resultsDays: 7 };

export const logQuestions = [
  question<'environment'>({
    name: 'environment',
    arises: isMonitored,
    today: (profile) => monitoringOf(profile)?.environment ?? 'production',
    write: (profile, environment) => withMonitoring(profile, { environment }),
    fields: ['monitoring.environment'],
  }),
  question<'log-retention-days'>({
    name: 'log-retention-days',
    arises: isMonitored,
    today: (profile) => monitoringOf(profile)?.retentionDays ?? DEFAULT_RETENTION_DAYS,
    write: (profile, retentionDays) => withMonitoring(profile, { retentionDays }),
    fields: ['monitoring.retentionDays'],
  }),
];

type Alarms = NonNullable<MonitoringSettings['alarms']>;

function withAlarms(profile: AdminProfile, fields: Changes<Alarms>): AdminProfile {
  const alarms: Alarms = { ...ALARMS, ...monitoringOf(profile)?.alarms };
  return withMonitoring(profile, { alarms: changed(alarms, fields) });
}

function threshold<N extends 'alarm-hourly-tokens' | 'alarm-hourly-errors'>(
  name: N,
  field: 'tokensPerHour' | 'bedrockErrorsPerHour',
) {
  return question<'alarm-hourly-tokens' | 'alarm-hourly-errors'>({
    name,
    arises: hasAlarms,
    today: (profile) => monitoringOf(profile)?.alarms?.[field],
    write: (profile, most) => withAlarms(profile, { [field]: most }),
    fields: [`monitoring.alarms.${field}`],
  });
}

export const alarmQuestions = [
  question<'alarms'>({
    name: 'alarms',
    message: () => 'Alarms, for unusual cost, errors and silence?',
    arises: isMonitored,
    today: (profile) => monitoringOf(profile)?.alarms !== undefined,
    write: (profile, are) => (are ? withAlarms(profile, {}) : withMonitoring(profile, { alarms: undefined })),
    implied: {
      by: ['alarm-email', 'alarm-daily-cost', 'alarm-hourly-tokens', 'alarm-hourly-errors'],
      answer: true,
    },
  }),
  question<'alarm-email'>({
    name: 'alarm-email',
    message: () => 'Where are alarms sent? (empty: nowhere yet)',
    arises: hasAlarms,
    today: (profile) => monitoringOf(profile)?.alarms?.email ?? '',
    write: (profile, email) => withAlarms(profile, { email: email || undefined }),
    fields: ['monitoring.alarms.email'],
    example: 'ops@company.example',
    optional: true,
  }),
  question<'alarm-daily-cost'>({
    name: 'alarm-daily-cost',
    message: () => 'Warn when models cost more than so many dollars a day',
    arises: hasAlarms,
    today: (profile) => monitoringOf(profile)?.alarms?.dailyCostUsd ?? ALARMS.dailyCostUsd,
    write: (profile, dailyCostUsd) => withAlarms(profile, { dailyCostUsd }),
    fields: ['monitoring.alarms.dailyCostUsd'],
  }),
  threshold('alarm-hourly-tokens', 'tokensPerHour'),
  threshold('alarm-hourly-errors', 'bedrockErrorsPerHour'),
];

type Analytics = NonNullable<MonitoringSettings['analytics']>;

function days<N extends 'analytics-archive-days' | 'analytics-results-days'>(
  name: N,
  field: keyof Analytics,
) {
  return question<'analytics-archive-days' | 'analytics-results-days'>({
    name,
    arises: hasAnalytics,
    today: (profile) => monitoringOf(profile)?.analytics?.[field],
    write: (profile, value) =>
      withMonitoring(profile, {
        analytics: { ...ANALYTICS, ...monitoringOf(profile)?.analytics, [field]: value },
      }),
    fields: [`monitoring.analytics.${field}`],
  });
}

export const analyticsQuestions = [
  question<'analytics'>({
    name: 'analytics',
    message: () => 'Keep all of it in S3, to ask with SQL?',
    arises: isMonitored,
    today: (profile) => monitoringOf(profile)?.analytics !== undefined,
    write: (profile, is) => withMonitoring(profile, { analytics: is ? ANALYTICS : undefined }),
    implied: { by: ['analytics-archive-days', 'analytics-results-days'], answer: true },
  }),
  days('analytics-archive-days', 'glacierAfterDays'),
  days('analytics-results-days', 'resultsDays'),
];
