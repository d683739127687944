import type { ProfileReader } from './profile-reader.ts';

/** The headers that attribute telemetry to a person, in the order they are shown. */
export const TELEMETRY_HEADERS = [
  'x-user-email',
  'x-user-id',
  'x-user-name',
  'x-department',
  'x-team-id',
  'x-cost-center',
  'x-organization',
  'x-location',
  'x-role',
  'x-manager',
] as const;

export type TelemetryHeader = (typeof TELEMETRY_HEADERS)[number];

/** Telemetry settings of a profile. */
export type TelemetrySettings = {
  /** True if the ID token is sent as `authorization`. */
  sendsIdToken: boolean;
  /** Claims that set a header, in order of preference, instead of the default ones. */
  claims: Readonly<Partial<Record<TelemetryHeader, readonly string[]>>>;
};

/** Largest number of claims for one header. */
const MOST_CLAIMS = 8;

/** Longest name of a claim. */
const CLAIM_LENGTH = 256;

/** @throws CcwbError ERR_CONFIG_INVALID */
export function readTelemetry(read: ProfileReader): TelemetrySettings {
  const collector = read.text(
    'otel_collector_endpoint',
    /^https?:\/\/[^\s?#@\\]+$/i,
    'an http or https URL without query or fragment',
  );
  const validates = read.boolean('otel_collector_validates_token') ?? false;
  return {
    // The token can be exchanged for AWS credentials: it travels encrypted, to a collector that wants it.
    sendsIdToken: validates && /^https:/i.test(collector ?? ''),
    claims: read.object('otel_claims', TELEMETRY_HEADERS, claimNames, ALLOWED_CLAIMS) ?? {},
  };
}

const ALLOWED_CLAIMS = `for each of ${TELEMETRY_HEADERS.join(', ')} the name of a claim or a list of up to ${MOST_CLAIMS}`;

function claimNames(value: unknown): readonly string[] | undefined {
  const names: unknown[] = Array.isArray(value) ? value : [value];
  if (names.length > MOST_CLAIMS || !names.every(isClaimName)) return undefined;
  return names;
}

function isClaimName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.length <= CLAIM_LENGTH;
}
