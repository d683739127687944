import t from 'tap';
import { parseConfig, profileNamed } from '../../protocol/config.ts';
import type { CcwbError } from '../../protocol/errors.ts';
import { TELEMETRY_HEADERS, type TelemetrySettings } from '../../protocol/telemetry-settings.ts';

const GOOD = {
  provider_domain: 'company.okta.com',
  client_id: 'client',
  identity_pool_id: 'us-east-1:11111111-2222-3333-4444-555555555555',
};

function parse(fields: Record<string, unknown>) {
  return parseConfig(JSON.stringify({ ClaudeCode: { ...GOOD, ...fields } }), 'config.json');
}

function telemetry(fields: Record<string, unknown>): TelemetrySettings {
  return profileNamed(parse(fields), 'ClaudeCode').telemetry;
}

function problem(fields: Record<string, unknown>): CcwbError {
  const error = parse(fields).invalid.get('ClaudeCode');
  if (!error) throw new Error(`accepted: ${JSON.stringify(fields)}`);
  return error;
}

t.test('a profile sends no ID token to a collector by default', async (t) => {
  t.same(telemetry({}), { sendsIdToken: false, claims: {} });
  t.same(telemetry({ otel_claims: null, otel_collector_endpoint: '' }), { sendsIdToken: false, claims: {} });
});

t.test('the ID token goes to a collector that is https and validates it, and to no other', async (t) => {
  const sends = (endpoint: unknown, validates: unknown) =>
    telemetry({ otel_collector_endpoint: endpoint, otel_collector_validates_token: validates }).sendsIdToken;
  t.equal(sends('https://otel.example.com', true), true);
  t.equal(sends('HTTPS://otel.example.com:4318/x', true), true);
  t.equal(sends('https://otel.example.com', false), false);
  t.equal(sends('https://otel.example.com', undefined), false);
  t.equal(sends('http://otel.example.com', true), false, 'never over http');
  t.equal(sends('http://localhost:4318', true), false, 'not on this machine either');
  t.equal(sends(undefined, true), false, 'not to nobody knows where');
});

t.test('claims may be chosen for each header, by name or as a list', async (t) => {
  const claims = {
    'x-department': 'https://example.com/department',
    'x-team-id': ['squad', 'crew'],
    'x-manager': [],
  };
  t.same(telemetry({ otel_claims: claims }).claims, {
    'x-department': ['https://example.com/department'],
    'x-team-id': ['squad', 'crew'],
    'x-manager': [],
  });
  const all = Object.fromEntries(TELEMETRY_HEADERS.map((header) => [header, 'constructor']));
  t.same(Object.keys(telemetry({ otel_claims: all }).claims), TELEMETRY_HEADERS);
});

t.test('the error of a wrong value has the allowed values', async (t) => {
  const wrong: [Record<string, unknown>, RegExp][] = [
    [
      { otel_collector_endpoint: 'otel.example.com' },
      /otel_collector_endpoint is "otel.example.com"; .*https URL/,
    ],
    [{ otel_collector_endpoint: 'https://u:p@otel.example.com' }, /otel_collector_endpoint/],
    [
      { otel_collector_validates_token: 'yes' },
      /otel_collector_validates_token is "yes"; allowed: true or false/,
    ],
    [{ otel_claims: 'department' }, /otel_claims is "department"; allowed: for each of x-user-email, /],
    [{ otel_claims: { authorization: 'x' } }, /otel_claims is {"authorization":"x"}/],
    [{ otel_claims: { 'X-Department': 'x' } }, /otel_claims is/],
    [{ otel_claims: { 'x-role': 5 } }, /otel_claims is {"x-role":5}/],
    [{ otel_claims: { 'x-role': [''] } }, /otel_claims is/],
    [{ otel_claims: { 'x-role': Array.from({ length: 9 }, () => 'x') } }, /otel_claims is/],
    [{ otel_claims: { 'x-role': 'x'.repeat(257) } }, /otel_claims is/],
  ];
  for (const [fields, text] of wrong) {
    t.equal(problem(fields).code, 'ERR_CONFIG_INVALID');
    t.match(problem(fields).message, text);
  }
  const hostile = `{"ClaudeCode":${JSON.stringify(GOOD).slice(0, -1)},"otel_claims":{"__proto__":"x"}}}`;
  t.ok(parseConfig(hostile, 'config.json').invalid.has('ClaudeCode'), 'a name every object has');
});
