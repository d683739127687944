import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { resolvePaths } from '../../protocol/paths.ts';
import { LAUNCHD_LABEL } from '../../shim/service/launchd.ts';
import { escapeForPlist, escapeForUnit } from '../../shim/service/service-files.ts';
import { SYSTEMD_SOCKET, SYSTEMD_UNIT } from '../../shim/service/systemd.ts';
import { readText } from '../../tools/docs/pages.ts';

const FOLDER = [process.cwd(), join(import.meta.dirname, '..', '..', '..', '..')]
  .map((root) => join(root, 'service-files'))
  .find((folder) => existsSync(folder));
const read = (name: string): string => readFileSync(join(FOLDER ?? '', name), 'utf8');
const PLIST = `${LAUNCHD_LABEL}.plist`;
/** What means something in XML. */
const ODD_PATH = `/Users/jane & <"co'>/]]>&amp;/app`;

const missing = (program: string, ...args: string[]): string | false =>
  spawnSync(program, args).error !== undefined && `${program} is not installed`;

t.test(
  'systemd-analyze verify accepts the units, also with an unusual path',
  {
    skip: missing('systemd-analyze', '--version'),
  },
  async (t) => {
    for (const path of ['plain', 'with space', '100%', '$HOME', 'a"b\'c\\', 'é', 'a\nb']) {
      const folder = mkdtempSync(join(tmpdir(), 'ccwb-'));
      t.teardown(() => rmSync(folder, { recursive: true }));
      const written = escapeForUnit(join(folder, path));
      for (const unit of [SYSTEMD_UNIT, SYSTEMD_SOCKET]) {
        const text = read(unit).replaceAll('@INSTALL_DIRECTORY@', () => written);
        writeFileSync(join(folder, unit), text);
      }
      const { status, stdout, stderr } = spawnSync(
        'systemd-analyze',
        ['--user', 'verify', join(folder, SYSTEMD_UNIT), join(folder, SYSTEMD_SOCKET)],
        {
          encoding: 'utf8',
          env: {
            PATH: process.env.PATH,
            HOME: folder,
            XDG_RUNTIME_DIR: folder,
            SYSTEMD_UNIT_PATH: `${folder}:`,
          },
        },
      );
      t.equal(stdout + stderr, '', path);
      t.equal(status, 0, path);
    }
  },
);

/** The most that `systemd-analyze security` may find in the service; 10 is no protection at all. */
const MAX_EXPOSURE = 6.2;

t.test(
  'the service has the restrictions that docs/security.md lists',
  { skip: missing('systemd-analyze', '--version') },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'ccwb-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const file = join(folder, SYSTEMD_UNIT);
    writeFileSync(file, read(SYSTEMD_UNIT).replaceAll('@INSTALL_DIRECTORY@', '/opt/app'));
    const { stdout } = spawnSync(
      'systemd-analyze',
      ['--user', 'security', '--offline=true', '--no-pager', file],
      {
        encoding: 'utf8',
        env: { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: folder, LC_ALL: 'C' },
      },
    );
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    t.ok(exposure <= MAX_EXPOSURE, `${exposure}`);
    t.match(readText('docs/security.md'), `${MAX_EXPOSURE.toFixed(1)} of 10`);
  },
);

t.test('the socket unit listens at the path of the programs, for this user only', async (t) => {
  const { socket } = resolvePaths({
    platform: 'linux',
    env: { XDG_RUNTIME_DIR: '/run/user/1000' },
    home: '/home/jane',
    uid: 1000,
    isOwnDirectory: () => true,
  });
  const unit = read(SYSTEMD_SOCKET);
  t.match(unit, `ListenStream=${socket.replace('/run/user/1000', '%t')}\n`);
  t.match(unit, 'SocketMode=0600\n');
  t.match(unit, 'DirectoryMode=0700\n');
});

t.test('the service does not own the directory of the socket and lets V8 compile', async (t) => {
  const unit = read(SYSTEMD_UNIT);
  t.match(unit, 'ExecStart=/bin/sh "@INSTALL_DIRECTORY@/bedrock-authd"\n');
  t.match(unit, 'Restart=on-failure\n');
  t.match(unit, 'MemoryDenyWriteExecute=no\n');
  for (const line of ['LimitCORE=0', 'UMask=0077', 'NoNewPrivileges=yes']) t.match(unit, `${line}\n`);
  t.notMatch(unit, /^RuntimeDirectory/m);
});

t.test(
  'the launchd agent is a property list with the required keys and types',
  {
    skip: missing('python3', '--version'),
  },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'ccwb-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const file = join(folder, PLIST);
    writeFileSync(file, read(PLIST).replaceAll('@INSTALL_DIRECTORY@', escapeForPlist(ODD_PATH)));
    const script = 'import json,plistlib,sys; json.dump(plistlib.load(open(sys.argv[1],"rb")), sys.stdout)';
    const { stdout, stderr } = spawnSync('python3', ['-c', script, file], { encoding: 'utf8' });
    t.equal(stderr, '');
    t.strictSame(JSON.parse(stdout), {
      Label: LAUNCHD_LABEL,
      ProgramArguments: [`${ODD_PATH}/bedrock-authd`, '--log-file', `${ODD_PATH}/logs/daemon.log`],
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ProcessType: 'Standard',
      Umask: 0o077,
      HardResourceLimits: { Core: 0 },
      SoftResourceLimits: { Core: 0 },
      StandardErrorPath: `${ODD_PATH}/logs/daemon.log`,
    });
  },
);
