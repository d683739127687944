import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import t from 'tap';
import { signInEnvironment, userEnvironment } from '../../../admin/trial/environment.ts';
import { trialFoldersIn } from '../../../admin/trial/trial-folders.ts';

const ADMIN = {
  HOME: '/home/ada',
  PATH: '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  DISPLAY: ':0',
  XDG_RUNTIME_DIR: '/run/user/1000',
  XDG_CONFIG_HOME: '/home/ada/.config',
  DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus',
  https_proxy: 'http://proxy.example:3128',
  AWS_PROFILE: 'admin',
  AWS_SECRET_ACCESS_KEY: 'secret',
  CCWB_PROFILE: 'mine',
  CCWB_SOCKET: '/run/mine.sock',
  NODE_OPTIONS: '--inspect',
};

t.test('programs under test get the network settings and nothing else of the administrator', async (t) => {
  const folders = trialFoldersIn('/tmp/ccwb-test-abcdef');
  t.strictSame(userEnvironment(folders, ADMIN), {
    PATH: '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HTTPS_PROXY: 'http://proxy.example:3128',
    HOME: '/tmp/ccwb-test-abcdef/home',
    XDG_RUNTIME_DIR: '/tmp/ccwb-test-abcdef/run',
    TMPDIR: '/tmp/ccwb-test-abcdef/tmp',
    NO_COLOR: '1',
  });
});

t.test('every form of BROWSER opens the browser with the home of the administrator', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'ccwb-openers-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const folders = trialFoldersIn(root);
  mkdirSync(folders.openers);
  const env = { ...ADMIN, HOME: "/home/ada's", BROWSER: 'env:echo --new=%s:w3m' };
  const { BROWSER = '', ...rest } = signInEnvironment(folders, env);
  t.match(rest, { DISPLAY: ':0', HOME: folders.home, DBUS_SESSION_BUS_ADDRESS: undefined });
  const [first = '', second = '', third = '', desktop = ''] = BROWSER.split(':');
  t.strictSame(
    [first, second, third, desktop].map((path) => basename(path)),
    ['env', 'echo', 'w3m', 'xdg-open'],
  );

  const open = (path: string, address: string): string =>
    execFileSync(path, [address], { encoding: 'utf8', env: { ...rest, PATH: '/usr/bin:/bin' } });
  const seen = open(first, 'a=b');
  t.match(seen, "HOME=/home/ada's\n");
  t.match(seen, 'XDG_RUNTIME_DIR=/run/user/1000\n');
  t.match(seen, 'a=b\n');
  t.notMatch(seen, /^(AWS_\w+|TMPDIR)=/m);
  const address = "http://x/?a='$(id)&b=%41";
  t.equal(open(second, address), `--new=${address}\n`, 'the address is one argument, and no shell reads it');
});

t.test('no browser is opened without a display or against CCWB_BROWSER', async (t) => {
  const folders = trialFoldersIn('/nonexistent');
  const { DISPLAY: _, ...headless } = ADMIN;
  t.notOk('BROWSER' in signInEnvironment(folders, headless));
  t.match(signInEnvironment(folders, { ...ADMIN, CCWB_BROWSER: 'none' }), { CCWB_BROWSER: 'none' });
});
