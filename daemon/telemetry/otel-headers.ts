import { createHash } from 'node:crypto';
import type { TelemetryHeader, TelemetrySettings } from '../../protocol/telemetry-settings.ts';
import type { Claims } from '../oidc/tokens.ts';

/**
 * Longest header value, in bytes of its encoded form. Ten of them stay far below the limit of a load balancer.
 */
const VALUE_MAX_BYTES = 256;

type HeaderRule = {
  header: TelemetryHeader;
  /** Tried in this order, each first as `custom:NAME`: the custom attributes of Cognito user pools. */
  claims: readonly string[];
  otherwise?: (claims: Claims, providerType: string) => string | undefined;
  transform?: (value: string) => string;
};

const constant = (value: string) => (): string => value;

const RULES: readonly HeaderRule[] = [
  { header: 'x-user-email', claims: ['email', 'preferred_username', 'mail'] },
  { header: 'x-user-id', claims: ['sub', 'user_id'], transform: pseudonym },
  {
    header: 'x-user-name',
    claims: ['cognito:username', 'preferred_username', 'name'],
    otherwise: (claims) => (typeof claims.email === 'string' ? claims.email.split('@')[0] : undefined),
  },
  { header: 'x-department', claims: ['department', 'dept', 'division'], otherwise: constant('unspecified') },
  { header: 'x-team-id', claims: ['team', 'team_id', 'group'], otherwise: constant('default-team') },
  {
    header: 'x-cost-center',
    claims: ['cost_center', 'costCenter', 'cost_code'],
    otherwise: constant('general'),
  },
  {
    header: 'x-organization',
    claims: ['organization', 'company', 'hd'],
    otherwise: (_, providerType) => providerType,
  },
  {
    header: 'x-location',
    claims: ['location', 'office_location', 'office'],
    otherwise: constant('unspecified'),
  },
  { header: 'x-role', claims: ['role', 'job_title', 'title'], otherwise: constant('user') },
  { header: 'x-manager', claims: ['manager', 'manager_email'], otherwise: constant('unassigned') },
];

/**
 * Returns the headers that attribute telemetry to a person, from the claims of a verified ID token.
 *
 * @param mapping the profile's own claims for a header, instead of the usual ones.
 */
export function otelHeaders(
  claims: Claims,
  providerType: string,
  mapping: TelemetrySettings['claims'] = {},
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { header, claims: usual, otherwise, transform } of RULES) {
    const names = mapping[header] ?? usual;
    const found = names.flatMap((name) => [`custom:${name}`, name]).map((name) => textOf(own(claims, name)));
    const value = found.find((text) => text !== undefined);
    const text = value === undefined ? otherwise?.(claims, providerType) : (transform?.(value) ?? value);
    const safe = text === undefined ? '' : headerValue(text);
    if (safe !== '') headers[header] = safe;
  }
  return headers;
}

/** Returns a claim of the token, never an inherited property such as `constructor`. */
function own(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** Returns the text of a claim: a text, a number, or the first of a list of these. */
function textOf(claim: unknown): string | undefined {
  const first: unknown = Array.isArray(claim) ? claim[0] : claim;
  if (typeof first === 'number') return String(first);
  return typeof first === 'string' && first.trim() !== '' ? first.trim() : undefined;
}

/** Returns a constant pseudonym for a person: SHA-256 in the shape of a UUID. */
function pseudonym(value: string): string {
  const hex = createHash('sha256').update(value).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

/**
 * Encodes a claim, which is foreign input. Visible ASCII and spaces stay; everything else, and the percent
 * sign, is percent-encoded as UTF-8. A long value is cut between characters.
 */
function headerValue(text: string): string {
  let value = '';
  for (const character of text) {
    const plain = /^[\x20-\x24\x26-\x7e]$/.test(character);
    const encoded = plain ? character : percentEncode(character);
    if (value.length + encoded.length > VALUE_MAX_BYTES) break;
    value += encoded;
  }
  return value.trim();
}

function percentEncode(character: string): string {
  return [...Buffer.from(character, 'utf8')]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
