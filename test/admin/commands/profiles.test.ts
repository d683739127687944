import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { AdminProfile } from '../../../admin/profiles/admin-profile.ts';
import {
  listProfiles,
  profilePath,
  readProfile,
  writeProfile,
} from '../../../admin/profiles/profile-store.ts';
import { PROFILE } from '../../../tools/support/admin-profiles.ts';
import { type EdgeOptions, ccwb as runCcwb } from '../fixtures/admin-edges.ts';

const OUTPUTS = { auth: { RoleArn: 'arn:aws:iam::123456789012:role/ccwb-Work-auth-AuthenticatedRole-X' } };
const WORK: AdminProfile = { ...PROFILE, name: 'Work', users: 40, outputs: OUTPUTS };
const SECRET = 'GOCSPX-planted';
const GOOGLE: AdminProfile = {
  ...PROFILE,
  name: 'Google',
  config: { provider_domain: 'accounts.google.com', client_id: 'c', client_secret: SECRET, pet: 'cat' },
};

function profiles(t: Test, ...there: readonly AdminProfile[]) {
  const folder = t.testdir();
  const env = { CCWB_HOME: join(folder, 'ccwb') };
  for (const profile of there) writeProfile(profile, env);
  return {
    env,
    folder,
    ccwb: (args: string, options: EdgeOptions = {}) =>
      runCcwb(`profiles ${args}`.split(' '), { env, ...options }),
  };
}

t.test(
  'the list shows the current profile and the region, provider and deployed stacks of each',
  async (t) => {
    const { ccwb, env } = profiles(t, WORK, GOOGLE);
    writeFileSync(join(env.CCWB_HOME, 'profiles/Broken.json'), '{}');
    await ccwb('use Work');
    const { status, out, error } = await ccwb('list');
    t.strictSame({ status, error }, { status: 0, error: '' });
    const broken = profilePath('Broken', env);
    t.equal(
      out,
      `   Broken  BROKEN: ${broken}: config.provider_domain is missing; allowed: a domain whose provider can be told from it, or set provider_type to one of okta, auth0, azure, cognito, google, generic\n` +
        '   Google  us-east-1  accounts.google.com  not deployed\n' +
        '*  Work    us-east-1  company.okta.com     deployed: auth\n',
    );
    const json = JSON.parse((await ccwb('list --json')).out);
    t.match(json, {
      folder: join(env.CCWB_HOME, 'profiles'),
      current: 'Work',
      profiles: [
        { name: 'Broken', problem: / is missing; allowed: / },
        { name: 'Google', current: false, deployed: [] },
        {
          name: 'Work',
          current: true,
          provider: 'company.okta.com',
          region: 'us-east-1',
          deployed: ['auth'],
        },
      ],
    });
  },
);

t.test('an empty list is no error and names the command to start with', async (t) => {
  const { ccwb } = profiles(t);
  const { status, out, error } = await ccwb('list');
  t.strictSame([status, out], [0, '']);
  t.match(error, /^There is no profile in .*: run ccwb init to make one\.\n$/);
  t.match(JSON.parse((await ccwb('list --json')).out), { current: null, profiles: [] });
});

t.test('a profile becomes the current one, with a note if CCWB_PROFILE overrides it', async (t) => {
  const { ccwb, env } = profiles(t, WORK, GOOGLE);
  t.strictSame(await ccwb('use Google'), { status: 0, out: 'Google is the current profile\n', error: '' });
  const outdone = await ccwb('use Work --json', { env: { ...env, CCWB_PROFILE: 'Google' } });
  t.strictSame(JSON.parse(outdone.out), { current: 'Work' });
  t.match(outdone.error, /^CCWB_PROFILE says Google, which counts before the current one/);
  const wrong = await ccwb('use Wrok');
  t.equal(wrong.status, 1);
  t.match(wrong.error, /no profile Wrok in .*; there are Google, Work \(ERR_PROFILE_UNKNOWN\)/);
});

t.test('a profile is shown without its client secret', async (t) => {
  const { ccwb } = profiles(t, WORK, GOOGLE);
  const work = await ccwb('show Work');
  t.equal(work.status, 0, work.error);
  t.match(work.out, /^profile +Work\nfile +\S+Work\.json\nprovider +okta, https:\/\/company\.okta\.com\n/);
  t.match(work.out, /\nusers +40\ndeployed +auth in 123456789012\nconfig\n {2}\{\n/);
  const google = await ccwb('show Google');
  t.match(google.out, '"client_secret": "(not shown)"');
  t.match(google.error, 'Kept, and of no meaning to this ccwb: config.pet\n');
  const json = await ccwb('show Google --json');
  t.match(JSON.parse(json.out), { schema: 1, name: 'Google', config: { pet: 'cat' } });
  for (const { out, error } of [google, json]) t.notMatch(out + error, SECRET);
  t.match((await ccwb('show')).error, /there are several profiles .*: Google, Work \(ERR_PROFILE_UNKNOWN\)/);
});

t.test('an export leaves out unknown and private fields and names them', async (t) => {
  const { ccwb, folder } = profiles(t, GOOGLE);
  const { status, out, error } = await ccwb('export');
  t.equal(status, 0);
  const { client_secret: _, pet, ...config } = GOOGLE.config;
  t.strictSame(JSON.parse(out), { ...GOOGLE, config });
  t.equal(error, 'Left out: config.pet and config.client_secret\n');
  const meant = await ccwb('export Google --with-client-secret');
  t.equal(JSON.parse(meant.out).config.client_secret, SECRET);

  const file = join(folder, 'google.json');
  const written = await ccwb(`export --output ${file} --json`);
  t.strictSame(JSON.parse(written.out), {
    profile: 'Google',
    path: file,
    leftOut: ['config.pet', 'config.client_secret'],
  });
  t.equal(readFileSync(file, 'utf8'), out);
  t.equal(statSync(file).mode & 0o777, 0o600);
  const again = await ccwb(`export --output ${file}`);
  t.equal(again.status, 2);
  t.match(again.error, /google\.json is there already \(ERR_USAGE\)/);
  t.equal((await ccwb(`export --force --output ${file}`)).out, `Google is in ${file}\n`);
  const nowhere = await ccwb(`export --output ${file}/x`);
  t.match(nowhere.error, /cannot be written \(E\w+\) \(ERR_USAGE\)\n {2}fix: choose another file\n/);
});

t.test('an exported profile can be imported under its own name or another', async (t) => {
  const { ccwb, folder, env } = profiles(t, WORK);
  const file = join(folder, 'work.json');
  await ccwb(`export Work --output ${file}`);
  const taken = await ccwb(`import ${file}`);
  t.equal(taken.status, 2);
  t.match(
    taken.error,
    /there is a profile Work already \(ERR_USAGE\)\n {2}fix: give it another name with --as NAME/,
  );

  const trial = await ccwb(`import ${file} --as Trial`);
  t.equal(trial.out, `Trial is in ${profilePath('Trial', env)}\n`);
  t.equal(trial.error, 'Left out: the outputs of Work, whose stacks are others\n');
  t.strictSame(readProfile('Trial', env), { ...WORK, name: 'Trial', outputs: {} });

  await ccwb('remove Work --force');
  t.strictSame(JSON.parse((await ccwb(`import ${file} --json`)).out), {
    imported: 'Work',
    path: profilePath('Work', env),
    replaced: false,
  });
  t.strictSame(readProfile('Work', env), WORK);
});

t.test(
  'an import that replaces a profile keeps the old file and the outputs of deployed stacks',
  async (t) => {
    const { ccwb, folder, env } = profiles(t, WORK);
    const file = join(folder, 'work.json');
    writeFileSync(file, JSON.stringify({ ...WORK, users: 41, outputs: {} }));
    const { status, error } = await ccwb(`import ${file} --force`);
    t.strictSame([status, error], [0, 'Kept: the outputs of auth, which are deployed\n']);
    t.strictSame(readProfile('Work', env), { ...WORK, users: 41 });
    t.match(JSON.parse(readFileSync(`${profilePath('Work', env)}.bak`, 'utf8')), { users: 40 });
    writeFileSync(profilePath('Work', env), '{');
    t.equal((await ccwb(`import ${file} --force`)).status, 0, 'a broken one is replaced too');
  },
);

t.test('a file that is not a valid profile is not imported', async (t) => {
  const { ccwb, folder, env } = profiles(t);
  const file = join(folder, 'x.json');
  mkdirSync(join(folder, 'dir'));
  for (const [text, message] of [
    ['{', /x\.json is not valid JSON \(ERR_CONFIG_INVALID\)/],
    ['{"schema":1}', /x\.json: name is missing; allowed: at most 64 letters/],
    ['{"schema":9}', /x\.json: schema is 9; allowed: 1/],
    [
      JSON.stringify({ ...PROFILE, name: '../up' }),
      /x\.json: name is "\.\.\/up"; allowed: at most 64 letters/,
    ],
  ] as const) {
    writeFileSync(file, text);
    t.match((await ccwb(`import ${file}`)).error, message);
  }
  t.match(
    (await ccwb(`import ${folder}/no.json`)).error,
    /no\.json cannot be read \(ENOENT\) \(ERR_CONFIG_MISSING\)/,
  );
  t.match((await ccwb(`import ${folder}/dir`)).error, /dir cannot be read \(EISDIR\)/);
  t.strictSame(listProfiles(env), []);
});

t.test('a profile is removed after a yes, and not while it is deployed', async (t) => {
  const { ccwb, env } = profiles(t, WORK, GOOGLE);
  await ccwb('use Google');
  const unasked = await ccwb('remove Google');
  t.strictSame([unasked.status, listProfiles(env).length], [2, 2]);
  t.match((await ccwb('remove Google', { answers: ['n'] })).error, /\(ERR_DECLINED\)/);
  const removed = await ccwb('remove Google', { answers: ['y'] });
  t.equal(removed.out, 'Google is removed; no profile is the current one now\n');
  const deployed = await ccwb('remove Work --yes');
  t.equal(deployed.status, 1);
  t.equal(
    deployed.error,
    'ccwb: profile Work is deployed: auth (ERR_STACK_STATE)\n' +
      '  fix: run ccwb destroy --profile Work first; with --force the profile goes and the stacks stay in AWS\n',
  );
  t.strictSame(JSON.parse((await ccwb('remove Work --force --json')).out), { removed: 'Work' });
  t.strictSame(listProfiles(env), []);
  writeFileSync(join(env.CCWB_HOME, 'profiles/Broken.json'), '{');
  t.match((await ccwb('remove Broken --yes')).error, /\(ERR_CONFIG_INVALID\)/);
  t.equal((await ccwb('remove Broken --force')).status, 0, 'a broken one goes by force');
});

t.test('an unknown command is wrong usage', async (t) => {
  const { ccwb } = profiles(t);
  const { status, error } = await ccwb('lsit');
  t.equal(status, 2);
  t.match(error, /unknown command 'lsit' \(Did you mean list\?\) \(ERR_USAGE\)|unknown command 'lsit'/);
  t.equal((await ccwb('use')).status, 2);
});

t.test('no line of the help is longer than 90 columns', async (t) => {
  const { ccwb } = profiles(t);
  for (const command of ['', 'list ', 'use ', 'show ', 'export ', 'import ', 'remove ']) {
    const { out, status } = await ccwb(`${command}--help`);
    t.equal(status, 0);
    t.match(out, /\nExamples:\n/);
    t.strictSame(
      out.split('\n').filter((line) => line.length > 90),
      [],
    );
  }
});
