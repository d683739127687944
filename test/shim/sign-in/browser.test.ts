import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { PAGE_LEASE_MS } from '../../../protocol/api.ts';
import {
  type BrowserHost,
  findOpeners,
  isProgram,
  OPENER_WATCH_MS,
  openPage,
  readText,
} from '../../../shim/sign-in/browser.ts';

const desktop = (
  platform: NodeJS.Platform,
  env: Record<string, string>,
  programs: readonly string[] = [
    '/usr/bin/xdg-open',
    '/usr/bin/open',
    '/usr/bin/wslview',
    '/usr/bin/firefox',
  ],
  files: Record<string, string> = { '/proc/sys/fs/binfmt_misc/WSLInterop': 'enabled' },
): BrowserHost => ({
  platform,
  env: { PATH: '/usr/bin:/bin', ...env },
  isProgram: (path) => programs.includes(path),
  readText: (path) => files[path],
});

t.test('each platform opens a page with its own program', async (t) => {
  const cases: [string, BrowserHost, string[][]][] = [
    ['macOS', desktop('darwin', {}), [['/usr/bin/open', '%s']]],
    ['macOS over SSH', desktop('darwin', { SSH_CONNECTION: 'a 1 b 22' }), []],
    ['Linux with X11', desktop('linux', { DISPLAY: ':0' }), [['/usr/bin/xdg-open', '%s']]],
    ['Linux with Wayland', desktop('linux', { WAYLAND_DISPLAY: 'wayland-0' }), [['/usr/bin/xdg-open', '%s']]],
    ['Linux without a display', desktop('linux', {}), []],
    ['Linux without xdg-open', desktop('linux', { DISPLAY: ':0' }, []), []],
    [
      'SSH with X forwarding',
      desktop('linux', { SSH_TTY: '/dev/pts/1', DISPLAY: 'localhost:10.0' }),
      [['/usr/bin/xdg-open', '%s']],
    ],
    ['SSH, and the display of the desk', desktop('linux', { SSH_TTY: '/dev/pts/1', DISPLAY: ':0' }), []],
    [
      'SSH from an editor that hands pages on',
      desktop('linux', { SSH_CONNECTION: 'a 1 b 22', BROWSER: '/srv/helper.sh' }, ['/srv/helper.sh']),
      [['/srv/helper.sh', '%s']],
    ],
    [
      'macOS over SSH, with an editor',
      desktop('darwin', { SSH_TTY: 'x', BROWSER: '/h' }, ['/h']),
      [['/h', '%s']],
    ],
    ['a container', desktop('linux', {}, undefined, { '/.dockerenv': '' }), []],
    [
      'a container of an editor',
      desktop('linux', { BROWSER: '/vscode/browser.sh' }, ['/vscode/browser.sh'], { '/.dockerenv': '' }),
      [['/vscode/browser.sh', '%s']],
    ],
    [
      'a container that shares the display',
      desktop('linux', { WAYLAND_DISPLAY: 'wayland-0' }, undefined, { '/run/.containerenv': '' }),
      [['/usr/bin/xdg-open', '%s']],
    ],
    ['WSL', desktop('linux', { WSL_DISTRO_NAME: 'Debian' }), [['/usr/bin/wslview', '%s']]],
    [
      'WSL without wslview',
      desktop('linux', { WSL_DISTRO_NAME: 'Debian' }, ['/mnt/c/Windows/System32/rundll32.exe']),
      [['/mnt/c/Windows/System32/rundll32.exe', 'url.dll,FileProtocolHandler', '%s']],
    ],
    [
      'WSL without interop',
      desktop('linux', { WSL_DISTRO_NAME: 'Debian' }, ['/usr/bin/wslview', '/usr/bin/xdg-open'], {}),
      [],
    ],
    [
      'WSL without interop, with a display of its own',
      desktop('linux', { WSL_DISTRO_NAME: 'Debian', DISPLAY: ':0' }, undefined, {}),
      [['/usr/bin/xdg-open', '%s']],
    ],
    ['WSL over SSH', desktop('linux', { WSL_DISTRO_NAME: 'Debian', SSH_CONNECTION: 'a 1 b 22' }), []],
    [
      'BROWSER goes first, in its order',
      desktop('linux', { DISPLAY: ':0', BROWSER: 'chromium:firefox --new-window %s:firefox' }),
      [
        ['/usr/bin/firefox', '--new-window', '%s'],
        ['/usr/bin/firefox', '%s'],
        ['/usr/bin/xdg-open', '%s'],
      ],
    ],
    [
      'BROWSER without a display',
      desktop('linux', { BROWSER: '/usr/bin/firefox' }),
      [['/usr/bin/firefox', '%s']],
    ],
    ['a path with spaces', desktop('linux', { BROWSER: '/a b/c' }, ['/a b/c']), [['/a b/c', '%s']]],
    [
      'text browsers need a terminal',
      desktop('linux', { BROWSER: 'w3m:/usr/bin/lynx' }, ['/usr/bin/w3m', '/usr/bin/lynx']),
      [],
    ],
    [
      'CCWB_BROWSER before BROWSER',
      desktop('linux', { CCWB_BROWSER: 'firefox', BROWSER: 'open' }),
      [['/usr/bin/firefox', '%s']],
    ],
    ['CCWB_BROWSER=none', desktop('darwin', { CCWB_BROWSER: 'none', BROWSER: 'firefox', DISPLAY: ':0' }), []],
    [
      'relative PATH entries do not count',
      desktop('linux', { BROWSER: 'x', PATH: '.:bin' }, ['x', 'bin/x']),
      [],
    ],
  ];
  for (const [name, machine, expected] of cases) t.strictSame(findOpeners(machine), expected, name);
});

t.test('an opener is watched for less than the time the daemon allows', async (t) => {
  // Two openers that stay are never tried: the first one counts. Two that fail late must fit as well.
  t.ok(2 * OPENER_WATCH_MS < PAGE_LEASE_MS);
});

t.test('the address is one argument, and the next opener is tried when one fails', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ccwb-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const program = (name: string, script: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return path;
  };
  const url = `https://idp.example.com/?a=1&b=$(touch ${folder}/evil)&c='";%20 d|e`;
  const fails = program('fails', 'exit 1');
  const notes = program('notes', 'printf "%s\\n" "$#" "$@" >"$0.args"');
  t.ok(
    await openPage(
      url,
      [
        [fails, '%s'],
        ['/nonexistent', '%s'],
        [notes, '--url=%s'],
      ],
      {},
    ),
  );
  t.equal(readFileSync(`${notes}.args`, 'utf8'), `1\n--url=${url}\n`);
  t.notOk(existsSync(join(folder, 'evil')));
  t.notOk(await openPage(url, [[fails, '%s']], {}));
  t.notOk(await openPage(url, [], {}));
  const pid = join(folder, 'pid');
  const stays = program('stays', `echo $$ >${pid}; exec sleep 60`);
  t.ok(
    await openPage(
      url,
      [
        [stays, '%s'],
        [fails, '%s'],
      ],
      { PATH: '/usr/bin:/bin' },
    ),
  );
  process.kill(Number(readFileSync(pid, 'utf8')));
});

t.test('only executable files are programs', async (t) => {
  t.ok(isProgram('/bin/sh'));
  t.notOk(isProgram('/etc/passwd'));
  t.notOk(isProgram('/nonexistent'));
});

t.test('only readable files have a text', async (t) => {
  t.match(readText('/etc/passwd'), /:0:0:/);
  t.equal(readText('/nonexistent'), undefined);
  t.equal(readText('/etc'), undefined);
});
