import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { AdminProfile } from '../../../admin/profiles/admin-profile.ts';
import { unknownFields } from '../../../admin/profiles/profile-check.ts';
import {
  ccwbHome,
  listProfiles,
  profilesFolder,
  readProfile,
  removeProfile,
  updateProfile,
  writeProfile,
} from '../../../admin/profiles/profile-store.ts';
import { EVERYTHING, PROFILE } from '../../../tools/support/admin-profiles.ts';
import { type Random, seededRandom } from '../../../tools/support/random.ts';

const FULL: AdminProfile = {
  ...PROFILE,
  infra: EVERYTHING,
  claude: {
    model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    haikuModel: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
    attributes: { department: 'research', 'team.id': 'a-b' },
  },
  users: 250,
  outputs: { auth: { RoleArn: 'arn:aws:iam::123456789012:role/r', IdentityPoolId: 'us-east-1:0' } },
};

const home = (t: Test, files: Readonly<Record<string, unknown>> = {}) => {
  const texts = Object.entries(files).map(([name, value]) => [
    `${name}.json`,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return { CCWB_HOME: t.testdir({ profiles: Object.fromEntries(texts) }) };
};

t.test('profiles are kept under CCWB_HOME, else in the home folder', async (t) => {
  t.equal(ccwbHome({ HOME: '/home/ada' }), '/home/ada/.ccwb');
  t.equal(profilesFolder({ HOME: '/home/ada', CCWB_HOME: '/srv/ccwb' }), '/srv/ccwb/profiles');
  t.equal(ccwbHome({}), join(homedir(), '.ccwb'));
});

t.test('a written profile can be read again, by this user only', async (t) => {
  const env = { CCWB_HOME: join(t.testdir(), 'new', 'ccwb') };
  t.ok(writeProfile(FULL, env));
  t.strictSame(readProfile('ClaudeCode', env), FULL);
  t.notOk(writeProfile(FULL, env), 'the same again changes nothing');
  const folder = profilesFolder(env);
  const path = join(folder, 'ClaudeCode.json');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  t.strictSame(readdirSync(folder), ['ClaudeCode.json'], 'and nothing beside it');
  t.match(readFileSync(path, 'utf8'), /^\{\n {2}"schema": 1,\n {2}"name": "ClaudeCode",\n/);
});

t.test('a folder and a file that others can read become private when they are written', async (t) => {
  const env = home(t, { ClaudeCode: PROFILE });
  const path = join(profilesFolder(env), 'ClaudeCode.json');
  chmodSync(profilesFolder(env), 0o755);
  chmodSync(path, 0o644);
  updateProfile('ClaudeCode', env, (profile) => ({ ...profile, users: 7 }));
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(profilesFolder(env)).mode & 0o777, 0o700);
});

t.test('a change is made to the file as it is now', async (t) => {
  const env = home(t, { ClaudeCode: PROFILE });
  const stale = readProfile('ClaudeCode', env);
  updateProfile('ClaudeCode', env, (profile) => ({ ...profile, users: 7 }));
  updateProfile(stale.name, env, (profile) => ({ ...profile, outputs: FULL.outputs }));
  t.match(readProfile('ClaudeCode', env), { users: 7, outputs: FULL.outputs });
});

t.test('all profiles are listed, broken ones too, and nothing else', async (t) => {
  const env = home(t, { b: PROFILE, a: 'no JSON', 'a.bak': '', 'not a name': '' });
  writeFileSync(join(profilesFolder(env), 'c.json.bak'), '');
  t.strictSame(listProfiles(env), ['a', 'b']);
  t.strictSame(listProfiles({ CCWB_HOME: join(env.CCWB_HOME, 'nowhere') }), []);
});

t.test('a missing profile is reported with the names of existing ones', async (t) => {
  const env = home(t, { Trial: PROFILE, Work: PROFILE });
  t.throws(() => readProfile('Play', env), {
    code: 'ERR_PROFILE_UNKNOWN',
    message: `no profile Play in ${profilesFolder(env)}; there are Trial, Work`,
    fix: 'use --profile Trial, or run ccwb init to make another',
  });
  t.throws(() => readProfile('Play', home(t)), { message: /; there is none$/, fix: 'run ccwb init' });
  t.throws(() => removeProfile('Play', env), { code: 'ERR_PROFILE_UNKNOWN' });
});

t.test('a name that no file or stack can have is refused before any file is read', async (t) => {
  for (const name of ['', '..', '../x', 'a/b', 'a.b', '-a', 'a b', 'a'.repeat(65), 'ä', 'a\n']) {
    t.throws(() => readProfile(name, home(t)), { code: 'ERR_USAGE', message: /is no name for a profile/ });
  }
});

t.test('a wrong field is named with its file, its value, what is allowed, and what to do', async (t) => {
  const config = (fields: object) => ({ ...PROFILE, config: { ...PROFILE.config, ...fields } });
  const cases: readonly (readonly [value: unknown, message: string])[] = [
    ['{', ' is not valid JSON'],
    ['[]', ' is []; allowed: an object of fields'],
    [{ ...PROFILE, schema: 2 }, ': schema is 2; allowed: 1, or what came before it'],
    [{ ...PROFILE, schema: 'x' }, ': schema is "x"; allowed: 1, or what came before it'],
    [{ ...PROFILE, schema: -1 }, ': schema is -1; allowed: 1, or what came before it'],
    [{ ...PROFILE, name: 'Other' }, ': name is "Other"; allowed: "ClaudeCode", as the file is called'],
    [{ ...PROFILE, config: [] }, ': config is []; allowed: an object of the fields of config.json'],
    [config({ client_id: 1 }), ': config.client_id is 1; allowed: the client id of the OIDC application'],
    [config({ aws_region: 'x' }), ': config.aws_region is "x"; allowed: an AWS region such as us-east-1'],
    [config({ redirect_port: 0 }), ': config.redirect_port is 0; allowed: a whole number from 1 to 65535'],
    [
      { ...PROFILE, infra: { acessGroups: {} } },
      ': infra.acessGroups is {}; allowed: nothing of that name; there are bedrock, jwksUri, providerRegistered, requireClientId, sessionTags, accessGroups, audit, monitoring',
    ],
    [{ ...PROFILE, infra: undefined }, ': infra is missing; allowed: an object'],
    [{ ...PROFILE, infra: { monitoring: {} } }, ': infra.monitoring.network is missing; allowed: an object'],
    [{ ...PROFILE, claude: { model: '' } }, ': claude.model is ""; allowed: the id of a model'],
    [
      { ...PROFILE, claude: { attributes: { department: 'a,b' } } },
      ': claude.attributes.department is "a,b"; allowed: names and texts without spaces, commas, quotes or =',
    ],
    [{ ...PROFILE, users: 0.5 }, ': users is 0.5; allowed: a whole number of people, 1 or more'],
    [
      { ...PROFILE, outputs: { auth: { IdentityPoolId: 'x' } } },
      ': outputs, for config.identity_pool_id is "x"; allowed: an identity pool id such as us-east-1:1234abcd-…',
    ],
    [{ ...PROFILE, outputs: { auth: { A: 1 } } }, ': outputs.auth is {"A":1}; allowed: an object of texts'],
  ];
  for (const [value, message] of cases) {
    const env = home(t, { ClaudeCode: value });
    const path = join(profilesFolder(env), 'ClaudeCode.json');
    t.throws(() => readProfile('ClaudeCode', env), {
      code: 'ERR_CONFIG_INVALID',
      message: `${path}${message}`,
      fix: new RegExp(path),
    });
  }
});

t.test('a file of a newer form is refused with the advice to use the newer ccwb', async (t) => {
  const env = home(t, { ClaudeCode: { ...PROFILE, schema: 7, more: true } });
  t.throws(() => readProfile('ClaudeCode', env), {
    code: 'ERR_CONFIG_INVALID',
    fix: /^a newer ccwb wrote .*: use that one/,
  });
  t.throws(() => updateProfile('ClaudeCode', env, (profile) => profile), { code: 'ERR_CONFIG_INVALID' });
});

t.test('a profile that could not be read again is not written', async (t) => {
  const env = home(t, { ClaudeCode: PROFILE });
  const broken = { ...PROFILE, users: -1 };
  t.throws(() => writeProfile(broken, env), { code: 'ERR_CONFIG_INVALID', message: /users is -1/ });
  t.strictSame(readProfile('ClaudeCode', env), PROFILE);
});

t.test('a folder that cannot be written is reported', async (t) => {
  const env = { CCWB_HOME: join(t.testdir({ file: '' }), 'file') };
  t.throws(() => writeProfile(PROFILE, env), {
    message: /profiles\/ClaudeCode\.json cannot be written \(E\w+\)$/,
    fix: /CCWB_HOME/,
  });
  const taken = home(t);
  mkdirSync(join(profilesFolder(taken), 'ClaudeCode.json'));
  t.throws(() => readProfile('ClaudeCode', taken), { message: /cannot be read \(EISDIR\)$/ });
});

/** Cases of the property below; more for a long run by hand, with node. */
const CASES = Number(process.env.CCWB_TEST_CASES ?? 150);
const SEED = Number(process.env.CCWB_TEST_SEED ?? 1);

t.setTimeout(60_000 + CASES * 100);

t.test('unknown fields survive every read, change and write', async (t) => {
  const env = home(t);
  const random = seededRandom(SEED);
  for (let count = 0; count < CASES; count += 1) {
    const strange = (): Record<string, unknown> => randomFields(random);
    const written = {
      ...strange(),
      ...FULL,
      config: { ...strange(), ...FULL.config },
      claude: { ...strange(), ...FULL.claude },
      outputs: { ...strange(), ...FULL.outputs },
    };
    const path = join(profilesFolder(env), 'ClaudeCode.json');
    writeFileSync(path, JSON.stringify(written));
    const asRead = readProfile('ClaudeCode', env);
    writeProfile(asRead, env);
    updateProfile('ClaudeCode', env, (profile) => ({
      ...profile,
      users: 9,
      outputs: { ...profile.outputs, auth: {} },
    }));
    const expected = { ...written, users: 9, outputs: { ...written.outputs, auth: {} } };
    // As text: objects that compare alike may differ in a field called __proto__.
    const same =
      JSON.stringify(sorted(JSON.parse(readFileSync(path, 'utf8')))) === JSON.stringify(sorted(expected));
    if (!same) t.fail(`case ${count} of seed ${SEED}: ${JSON.stringify(written)}`);
    t.ok(unknownFields(asRead).every((field) => !Object.hasOwn(FULL, field)));
  }
});

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'quota',
  'Ü',
  '',
  ' ',
  '1',
  'a.b',
  'profiles',
] as const;
const LEAVES = [null, true, 0, -1.5, 1e21, '', 'text', '\u202e\u0000', '\ud800'] as const;

function randomFields(random: Random): Record<string, unknown> {
  const entries = Array.from({ length: random.whole(0, 3) }, (): [string, unknown] => [
    random.pick(NAMES),
    randomValue(random, 3),
  ]);
  return Object.fromEntries(entries);
}

function randomValue(random: Random, depth: number): unknown {
  if (depth === 0 || random.chance(0.4)) return random.pick(LEAVES);
  if (random.chance(0.5))
    return Array.from({ length: random.whole(0, 3) }, () => randomValue(random, depth - 1));
  return Object.fromEntries([[random.pick(NAMES), randomValue(random, depth - 1)]]);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => [name, sorted(inner)]);
}
