import { createHash } from 'node:crypto';
import { validateHeaderValue } from 'node:http';
import t from 'tap';
import type { Claims } from '../../daemon/oidc-client.ts';
import { otelHeaders } from '../../daemon/otel-headers.ts';

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

t.test('a user is known by a pseudonym in the shape of a UUID', async (t) => {
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

t.test('a list counts by its first entry, a number as its digits, the rest not at all', async (t) => {
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

t.test('no claims but the listed ones travel', async (t) => {
  const headers = of({
    nonce: 'planted',
    at_hash: 'planted',
    groups: ['planted'],
    address: { x: 'planted' },
  });
  t.notMatch(JSON.stringify(headers), /planted/);
  t.notOk('authorization' in headers);
});

t.test('whatever the claims are, every header is one that HTTP takes', async (t) => {
  const random = seeded(20_260_102);
  let headers = 0;
  for (let round = 0; round < 2_000; round += 1) {
    const claims = randomClaims(random);
    for (const [name, value] of Object.entries(of(claims))) {
      headers += 1;
      const problem = problemWith(name, value);
      if (problem) t.fail(`${problem}: ${JSON.stringify({ name, value, claims })}`);
    }
  }
  t.ok(headers > 14_000, `${headers} headers`);
});

function problemWith(name: string, value: unknown): string | undefined {
  if (typeof value !== 'string') return 'not a text';
  if (value === '' || value !== value.trim()) return 'empty or padded';
  if (value.length > 256) return 'too long';
  if (!/^[\x20-\x7e]+$/.test(value)) return 'not visible ASCII';
  if (!/^x-[a-z-]+$/.test(name)) return 'a name that is not ours';
  try {
    validateHeaderValue(name, value);
    if (name !== 'x-user-id') decodeURIComponent(value);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** A small generator of numbers in [0, 1) that gives the same ones in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function randomClaims(random: () => number): Record<string, unknown> {
  const names = ['sub', 'user_id', ...TABLE.flatMap(([, claims]) => claims), 'groups', '__proto__'];
  const claims: Record<string, unknown> = {};
  for (const name of names) {
    if (random() < 0.4) continue;
    const prefix = random() < 0.3 ? 'custom:' : '';
    claims[`${prefix}${name}`] = randomValue(random, 2);
  }
  return claims;
}

function randomValue(random: () => number, depth: number): unknown {
  const kind = Math.floor(random() * 10);
  if (kind === 0) return (random() - 0.5) * 10 ** (random() * 30);
  if (kind === 1) return random() < 0.5;
  if (kind === 2) return null;
  if (kind === 3 && depth > 0) return { value: randomValue(random, depth - 1) };
  if (kind === 4 && depth > 0) {
    return Array.from({ length: Math.floor(random() * 4) }, () => randomValue(random, depth - 1));
  }
  const length = Math.floor(random() ** 3 * 600);
  const widest = [0x80, 0x100, 0x800, 0x10000][Math.floor(random() * 4)] ?? 0x80;
  return String.fromCharCode(...Array.from({ length }, () => Math.floor(random() * widest)));
}
