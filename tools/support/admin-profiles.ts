import type { AdminProfile } from '../../admin/profiles/admin-profile.ts';
import type { InfraSettings } from '../../admin/profiles/infra-file.ts';

/** A profile as `ccwb init` leaves it. */
export const PROFILE: AdminProfile = {
  schema: 1,
  name: 'ClaudeCode',
  config: { provider_domain: 'company.okta.com', client_id: '0oa1b2c3', aws_region: 'us-east-1' },
  infra: {},
  claude: {},
  outputs: {},
};

/** Settings that ask for every stack. They have no domain, since moto would need its hosted zone. */
export const EVERYTHING: InfraSettings = {
  audit: { retentionDays: 90 },
  monitoring: {
    network: { type: 'new', tasks: 'private' },
    alarms: {
      email: 'ops@company.example',
      tokensPerHour: 1_000_000,
      dailyCostUsd: 100,
      bedrockErrorsPerHour: 50,
    },
    analytics: { glacierAfterDays: 90, resultsDays: 7 },
  },
};
