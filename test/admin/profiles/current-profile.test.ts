import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  chooseProfileFile,
  currentProfile,
  useNoProfile,
  useProfile,
} from '../../../admin/profiles/current-profile.ts';
import { removeProfile, writeProfile } from '../../../admin/profiles/profile-store.ts';
import { PROFILE } from '../../../tools/support/admin-profiles.ts';

const home = (t: Test, ...names: string[]) => {
  const env = { CCWB_HOME: t.testdir() };
  for (const name of names) writeProfile({ ...PROFILE, name }, env);
  return env;
};

t.test('the flag counts, then CCWB_PROFILE, then the current one, then the only one', async (t) => {
  const env = home(t, 'One');
  t.equal(chooseProfileFile({}, env), 'One');
  writeProfile({ ...PROFILE, name: 'Two' }, env);
  writeProfile({ ...PROFILE, name: 'Three' }, env);
  useProfile('Two', env);
  t.equal(chooseProfileFile({}, env), 'Two');
  t.equal(chooseProfileFile({}, { ...env, CCWB_PROFILE: 'Three' }), 'Three');
  t.equal(chooseProfileFile({}, { ...env, CCWB_PROFILE: '' }), 'Two', 'an empty variable is none');
  t.equal(chooseProfileFile({ profile: 'One' }, { ...env, CCWB_PROFILE: 'Three' }), 'One');
});

t.test('with several profiles and no current one, none is chosen', async (t) => {
  const env = home(t, 'One', 'Two');
  t.throws(() => chooseProfileFile({}, env), {
    code: 'ERR_PROFILE_UNKNOWN',
    message: /none is the current one: One, Two$/,
    fix: 'choose one with --profile One, with CCWB_PROFILE, or for good with ccwb profiles use One',
  });
  t.throws(() => chooseProfileFile({}, home(t)), {
    code: 'ERR_PROFILE_UNKNOWN',
    fix: 'run ccwb init to make one, or ccwb profiles import FILE',
  });
});

t.test('the current profile is a line in a file that only this user can read', async (t) => {
  const env = home(t, 'One', 'Two');
  t.equal(currentProfile(env), undefined);
  useProfile('Two', env);
  const path = join(env.CCWB_HOME, 'current');
  t.equal(readFileSync(path, 'utf8'), 'Two\n');
  t.equal(statSync(path).mode & 0o777, 0o600);
  useNoProfile(env);
  useNoProfile(env);
  t.equal(currentProfile(env), undefined);
});

t.test('a profile that does not exist is not the current one', async (t) => {
  const env = home(t, 'One', 'Two');
  useProfile('Two', env);
  removeProfile('Two', env);
  t.equal(currentProfile(env), undefined);
  t.equal(chooseProfileFile({}, env), 'One', 'the only one that is left');
  writeFileSync(join(env.CCWB_HOME, 'current'), '../../etc/passwd\n');
  t.equal(currentProfile(env), undefined);
});

t.test('a broken or missing profile cannot become the current one', async (t) => {
  const env = home(t, 'One');
  writeFileSync(join(env.CCWB_HOME, 'profiles/Two.json'), '{');
  t.throws(() => useProfile('Two', env), { code: 'ERR_CONFIG_INVALID' });
  t.throws(() => useProfile('Three', env), { code: 'ERR_PROFILE_UNKNOWN' });
  t.equal(currentProfile(env), undefined);
});

t.test('the active profile of the legacy tool is the current one until ccwb changes it', async (t) => {
  const env = home(t, 'One', 'Two');
  const earlier = join(env.CCWB_HOME, 'config.json');
  writeFileSync(earlier, JSON.stringify({ schema_version: '2.0', active_profile: 'Two' }));
  t.equal(currentProfile(env), 'Two');
  useProfile('One', env);
  t.equal(currentProfile(env), 'One');
  rmSync(earlier);
  t.equal(currentProfile(env), 'One');
});

t.test('a folder in the place of the file is reported with its path', async (t) => {
  const env = home(t, 'One');
  mkdirSync(join(env.CCWB_HOME, 'current'));
  const path = join(env.CCWB_HOME, 'current');
  t.throws(() => currentProfile(env), {
    code: 'ERR_CONFIG_INVALID',
    message: `${path} cannot be read (EISDIR)`,
  });
  t.throws(() => useProfile('One', env), {
    code: 'ERR_CONFIG_INVALID',
    message: /current cannot be written \(E/,
  });
});
