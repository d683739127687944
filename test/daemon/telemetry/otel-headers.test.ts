import { createHash } from 'node:crypto';
import { validateHeaderValue } from 'node:http';
import t from 'tap';
import type { Claims } from '../../../daemon/oidc/tokens.ts';
import { otelHeaders } from '../../../daemon/telemetry/otel-headers.ts';
import { createDaemonClient } from '../../../protocol/client.ts';
import { serve } from '../fixtures/api.ts';
import { hostileClaims, MAPPING } from '../fixtures/hostile-claims.ts';

const of = (claims: Record<string, unknown>, providerType = 'okta'): Record<string, string> =>
  otelHeaders({ sub: 'user-1', iat: 0, exp: 0, ...claims } as Claims, providerType);

/** contracts.md §4: header, claims in order, what stands there when there is none. */
const TABLE: [string, string[], string | undefined][] = [
  ['x-user-email', ['email', 'preferred_username', 'mail'], undefined],
  ['x-user-name', ['cognito:username', 'preferred_username', 'name'], undefined],
  ['x-department', ['department', 'dept', 'division'], 'unspecified'],
  ['x-team-id', ['team', 'team_id', 'group'], 'default-team'],
  ['x-cost-center', ['cost_center', 'costCenter', 'cost_code'], 'general'],
  ['x-organization', ['organization', 'company', 'hd'], 'okta'],
  ['x-location', ['location', 'office_location', 'office'], 'unspecified'],
  ['x-role', ['role', 'job_title', 'title'], 'user'],
  ['x-manager', ['manager', 'manager_email'], 'unassigned'],
];

t.test('each header has its claims, in order', async (t) => {
  for (const [header, names, otherwise] of TABLE) {
    t.equal(of({})[header], otherwise, `${header} without a claim`);
    for (const [index, name] of names.entries()) {
      const later = Object.fromEntries(names.slice(index).map((each) => [each, `value of ${each}`]));
      t.equal(of(later)[header], `value of ${name}`, `${header} from ${name}`);
    }
  }
});

t.test('the custom attributes of a user pool are tried first', async (t) => {
  for (const [header, names] of TABLE) {
    for (const name of names) {
      const claims = { [name]: 'plain', [`custom:${name}`]: 'custom' };
      t.equal(of(claims)[header], 'custom', `custom:${name}`);
      t.equal(of({ [`custom:${name}`]: 'custom' })[header], 'custom', `custom:${name} alone`);
    }
  }
});

t.test('a user ID is a pseudonym in the shape of a UUID', async (t) => {
  const hex = createHash('sha256').update('user-1').digest('hex');
  const id = of({})['x-user-id'];
  t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  t.equal(id?.replaceAll('-', ''), hex.slice(0, 32));
  t.equal(of({ name: 'Another' })['x-user-id'], id, 'the same person always');
  t.not(of({ sub: 'user-2' })['x-user-id'], id);
  t.equal(of({ sub: undefined, user_id: 'user-1' })['x-user-id'], id, 'from user_id');
  t.equal(of({ sub: '' })['x-user-id'], undefined, 'none without either');
});

t.test('a name falls back on the part of the e-mail before the @', async (t) => {
  t.equal(of({ email: 'ada.lovelace@example.com' })['x-user-name'], 'ada.lovelace');
  t.equal(of({ email: 'ada' })['x-user-name'], 'ada');
  t.equal(of({ email: '@example.com' })['x-user-name'], undefined);
  t.equal(of({ email: 7 })['x-user-name'], undefined);
});

t.test('the organization falls back on the provider', async (t) => {
  for (const type of ['auth0', 'azure', 'cognito', 'google', 'generic'])
    t.equal(of({}, type)['x-organization'], type);
});

t.test('a list gives its first entry, a number its digits, other values nothing', async (t) => {
  const department = (value: unknown) => of({ department: value })['x-department'];
  t.equal(department(['Engineering', 'Sales']), 'Engineering');
  t.equal(department([42]), '42');
  t.equal(department(42), '42');
  t.equal(department(0), '0');
  t.equal(department(-1.5), '-1.5');
  for (const value of [true, null, {}, [], [[]], [null], '', '   ', undefined, { toString: 'x' }])
    t.equal(department(value), 'unspecified', JSON.stringify(value));
  t.equal(of({ department: '', dept: 'Sales' })['x-department'], 'Sales', 'the next claim is tried');
});

t.test('hostile values cannot break out of their header', async (t) => {
  const department = (value: string) => of({ department: value })['x-department'];
  t.equal(department('a\r\nx-evil: 1'), 'a%0D%0Ax-evil: 1');
  t.equal(department('a\0b'), 'a%00b');
  t.equal(department('a\tb'), 'a%09b');
  t.equal(department('100% Müller'), '100%25 M%C3%BCller');
  t.equal(department('研究'), '%E7%A0%94%E7%A9%B6');
  t.equal(department('😀'), '%F0%9F%98%80');
  t.equal(department('\ud800'), '%EF%BF%BD', 'half a character');
  t.equal(department('\u007f'), '%7F');
  t.equal(department('  spaces  around  '), 'spaces  around');
  t.equal(decodeURIComponent(department('50% Größe, "x"') ?? ''), '50% Größe, "x"', 'reversible');
});

t.test('a long value is cut between characters', async (t) => {
  const department = (value: string) => of({ department: value })['x-department'] ?? '';
  t.equal(department('x'.repeat(1_000)).length, 256);
  const cut = department('ü'.repeat(1_000));
  t.ok(cut.length <= 256 && cut.length > 240);
  t.equal(decodeURIComponent(cut), 'ü'.repeat(cut.length / 6), 'whole characters');
});

t.test('only the listed claims are sent', async (t) => {
  const headers = of({
    nonce: 'planted',
    at_hash: 'planted',
    groups: ['planted'],
    address: { x: 'planted' },
  });
  t.notMatch(JSON.stringify(headers), /planted/);
  t.notOk('authorization' in headers);
});

t.test('a profile can name its own claims for a header', async (t) => {
  const mapped = (claims: Record<string, unknown>, mapping: Record<string, readonly string[]>) =>
    otelHeaders({ sub: 'user-1', iat: 0, exp: 0, ...claims } as Claims, 'okta', mapping);
  const both = { department: 'usual', 'https://example.com/dept': 'own' };
  const mapping = { 'x-department': ['https://example.com/dept'] };
  t.match(mapped(both, mapping), { 'x-department': 'own', 'x-role': 'user' });
  t.equal(mapped({ 'custom:squad': 'blue' }, { 'x-team-id': ['squad'] })['x-team-id'], 'blue');
  t.equal(mapped({ department: 'usual' }, mapping)['x-department'], 'unspecified', 'not the usual ones then');
  t.equal(mapped(both, { 'x-department': [] })['x-department'], 'unspecified');
  t.equal(mapped({ email: 'a@b.c' }, { 'x-user-email': [] })['x-user-email'], undefined);
  t.equal(mapped({}, { 'x-user-id': ['oid'] })['x-user-id'], undefined);
  t.match(
    mapped({ oid: '7' }, { 'x-user-id': ['oid'] })['x-user-id'],
    /^[0-9a-f-]{36}$/,
    'a pseudonym always',
  );
});

t.test('an inherited property is no claim', async (t) => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  for (const name of names) {
    const claims = { sub: 'user-1', iat: 0, exp: 0 };
    t.equal(otelHeaders(claims, 'okta', { 'x-role': [name] })['x-role'], 'user', name);
    const own = { ...claims, ...(JSON.parse(`{"${name}":"engineer"}`) as object) };
    const parsed = Object.defineProperty(own, name, { value: 'engineer', enumerable: true });
    t.equal(otelHeaders(parsed, 'okta', { 'x-role': [name] })['x-role'], 'engineer', `own ${name}`);
  }
});

t.test('for 10,000 hostile sets of claims the answer is one object of headers', async (t) => {
  const next = hostileClaims(20_260_102);
  let claims: Record<string, unknown> = {};
  const { socket } = await serve(t, {
    otelHeaders: async () => ({
      ...otelHeaders(claims as Claims, 'generic', MAPPING),
      authorization: 'Bearer a.b.c',
    }),
  });
  const client = createDaemonClient(socket);
  let headers = 0;
  for (let round = 0; round < 10_000; round += 1) {
    claims = next();
    // Throws unless the body is valid JSON.
    const answer = await client.ask<Record<string, unknown>>({
      route: 'otelHeaders',
      params: { profile: 'A' },
    });
    for (const [name, value] of Object.entries(answer)) {
      headers += 1;
      const problem = problemWith(name, value);
      if (problem) t.fail(`${problem}: ${JSON.stringify({ name, value, claims })}`);
    }
  }
  t.ok(headers > 80_000, `${headers} headers`);
});

function problemWith(name: string, value: unknown): string | undefined {
  if (typeof value !== 'string') return 'not a text';
  if (value === '' || value !== value.trim()) return 'empty or padded';
  if (value.length > 256) return 'too long';
  if (!/^[\x20-\x7e]+$/.test(value)) return 'not visible ASCII';
  if (!/^(x-[a-z-]+|authorization)$/.test(name)) return 'a name that is not ours';
  try {
    validateHeaderValue(name, value);
    if (name !== 'x-user-id') decodeURIComponent(value);
    return undefined;
  } catch (error) {
    return String(error);
  }
}
