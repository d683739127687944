/** Tests of the real install.sh with real packages and real homes. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import type { VersionReply } from '../../protocol/api.ts';
import { BUILD_VERSION } from '../../protocol/version.ts';
import { sectionsOf } from '../../shim/user-files/aws-files.ts';
import { SETTINGS, writeSums } from '../../tools/support/package.ts';
import { type EmptyHome, emptyHome, PROFILE, signInHome, treeOf } from '../fixtures/install.ts';
import { askUnderLoad } from '../fixtures/load.ts';
import { OTHER_USER } from '../fixtures/other-user.ts';
import { SHELLS } from '../shim/fixtures/shells.ts';

t.setTimeout(300_000);

const NEWER = '99.0.0';
const root = process.getuid?.() === 0 ? false : 'needs root, to make files of others and mount disks';

const read = (home: EmptyHome, path: string): string => readFileSync(join(home.home, path), 'utf8');
const settingsOf = (home: EmptyHome) => JSON.parse(read(home, '.claude/settings.json'));

function put(home: EmptyHome, path: string, text: string, mode = 0o644): string {
  const file = join(home.home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

/** Returns the command that AWS SDKs find for the profile. */
function commandIn(home: EmptyHome): string {
  const section = sectionsOf(read(home, '.aws/config')).find(({ profile }) => profile === 'ClaudeCode');
  return section?.settings.get('credential_process') ?? '';
}

for (const { name, shell, missing } of SHELLS) {
  t.test(`install.sh runs with ${name}, in a home of any name`, { skip: missing }, async (t) => {
    const home = await emptyHome(t, { name: `a "b" o'n é $x` });
    put(home, '.aws/config', '[default]\r\nregion = eu-west-1');
    const before = home.tree();
    const pack = home.pack(`p 'q" é`);
    t.match(await home.install(pack, [], { shell }), { status: 0, stderr: '' });
    // SDKs run it as a command of a shell.
    const explained = await home.run('/bin/sh', ['-c', `${commandIn(home)} --explain`]);
    t.match(explained, { status: 0, stderr: '' });
    const headers = await home.run('/bin/sh', ['-c', settingsOf(home).otelHeadersHelper]);
    t.match(headers, { status: 0, stdout: '{}\n' });
    t.match(await home.install(pack, [], { shell }), { status: 0, stdout: /there is nothing to change/ });
    t.match(await home.uninstall(), { status: 0, stderr: '', stdout: /Removed\.\n$/ });
    t.same(home.tree(), before);
  });
}

t.test('an installation is used, upgraded under load and removed without a trace', async (t) => {
  const { home, sandbox } = await signInHome(t);
  put(home, '.claude/settings.json', '{\n   "model": "opus"}');
  const before = home.tree();
  const first = await home.install(home.pack('one'));
  t.match(first, {
    status: 0,
    stderr: '',
    stdout: /\nNext: ~\/claude-code-with-bedrock\/bedrock-auth login\n$/,
  });
  t.match(await home.run(home.program('bedrock-auth'), ['login']), { status: 0, stderr: '' });
  const load = askUnderLoad(home, 3);
  await load.reach(10);
  const upgrade = await home.install(home.pack('two', { build: NEWER }));
  t.match(upgrade, { status: 0, stderr: '', stdout: /bedrock-auth status\n$/ });
  await load.reach(30);
  t.same((await load.end()).failed, []);
  const version = () => home.client.ask<VersionReply>({ route: 'version' });
  t.equal((await version()).build, NEWER);
  t.equal((await home.openedPages()).length, 1, 'the sign-in stays');
  t.equal(sandbox.provider.counts.codeExchanges, 1);
  t.equal(readdirSync(join(home.directory, 'versions')).length, 1, 'the old version is gone');

  const back = await home.install(join(home.home, '..', 'packages', 'one'));
  t.match(back, { status: 0, stdout: /in the place of the\s+newer 99\.0\.0/ });
  t.equal((await version()).build, BUILD_VERSION);
  t.match(await home.uninstall(), { status: 0, stderr: '' });
  t.same(home.tree(), before);
});

t.test('bedrock-auth is linked into ~/.local/bin if that is on the PATH', async (t) => {
  const home = await emptyHome(t);
  const folder = join(home.home, '.local/bin');
  const link = join(folder, 'bedrock-auth');
  const env = { PATH: `relative::${folder}/:/usr/bin:/bin` };
  const pack = home.pack('one');
  t.notMatch(await home.install(pack, ['--dry-run'], { env }), { stdout: /a link to/ }, 'no folder is made');
  mkdirSync(folder, { recursive: true });
  const before = home.tree();
  t.notMatch(
    await home.install(pack, ['--dry-run']),
    { stdout: /a link to/ },
    'one not on the PATH helps nobody',
  );

  const installed = await home.install(pack, [], { env });
  t.match(installed, {
    status: 0,
    stdout: /~\/\.local\/bin\/bedrock-auth, a link to\s+~\/claude-code-with-bedrock\/bedrock-auth/,
  });
  const version = await home.run('/bin/sh', ['-c', 'bedrock-auth --version'], { env });
  t.match(version, { status: 0, stdout: `bedrock-auth ${BUILD_VERSION}\n`, stderr: '' });
  t.match(await home.install(pack, [], { env }), { status: 0, stdout: /there is nothing to change/ });
  const upgrade = await home.install(home.pack('two', { build: NEWER }), [], { env });
  t.match(upgrade, { status: 0, stderr: '' });
  const newer = await home.run('/bin/sh', ['-c', 'bedrock-auth --version'], { env });
  t.match(newer, { stdout: `bedrock-auth ${NEWER}\n` }, 'it leads to whichever version is used');

  const gone = await home.run('/bin/sh', ['-c', 'bedrock-auth uninstall --yes'], { env });
  t.match(gone, { status: 0, stdout: /the link ~\/\.local\/bin\/bedrock-auth\n/, stderr: '' });
  t.same(home.tree(), before);

  writeFileSync(link, '#!/bin/sh\n# of somebody else\n');
  t.match(await home.install(pack, [], { env }), { status: 0, stderr: '' });
  t.match(await home.uninstall(), { status: 0 });
  t.equal(readFileSync(link, 'utf8'), '#!/bin/sh\n# of somebody else\n');
  rmSync(link);
  symlinkSync('/usr/bin/true', link);
  t.match(await home.install(pack, [], { env }), { status: 0, stderr: '' });
  t.match(await home.uninstall(), { status: 0 });
  t.equal(readlinkSync(link), '/usr/bin/true');
});

t.test('a dry run changes nothing and prints what would change', async (t) => {
  const home = await emptyHome(t);
  const pack = home.pack('one');
  const before = home.tree();
  const dry = await home.install(pack, ['--dry-run']);
  t.match(dry, { status: 0, stderr: '', stdout: /^This would install .*\[profile ClaudeCode\]/s });
  t.same(home.tree(), before);
  const json = JSON.parse((await home.install(pack, ['--json'])).stdout);
  t.match(json, { outcome: 'installed', from: null, build: BUILD_VERSION, leftToDo: [] });
  const again = JSON.parse((await home.install(pack, ['--json'])).stdout);
  t.match(again, { outcome: 'unchanged', changes: [] });
  t.match(await home.install(pack, ['--wrong']), { status: 2, stderr: /--wrong.*\(ERR_USAGE\)\n {2}fix: / });
  t.match(await home.install(pack, ['--help']), { status: 0, stdout: /--dry-run/ });
});

t.test('a package that is damaged, incomplete or for another platform installs nothing', async (t) => {
  const home = await emptyHome(t);
  const before = home.tree();
  const refused = async (why: RegExp, spoil: (folder: string) => void, path?: string): Promise<void> => {
    const pack = home.pack('one');
    spoil(pack);
    const output = await home.install(pack, [], path === undefined ? {} : { env: { PATH: path } });
    t.match(output, { status: 1, stdout: '', stderr: why });
    t.match(output.stderr, /\(ERR_PACKAGE_INVALID\)\n {2}fix: /);
    t.same(home.tree(), before);
  };
  await refused(/daemon\/index\.js is not as it was packed/, (pack) => {
    appendFileSync(join(pack, 'daemon/index.js'), ' ');
  });
  await refused(/missing|not as it was packed/, (pack) => rmSync(join(pack, 'otel-helper')));
  await refused(/shim\/install\.js of the package is not beside/, (pack) =>
    rmSync(join(pack, 'shim/install.js')),
  );
  await refused(/for mips, and this machine/s, (pack) => {
    rmSync(join(pack, 'daemon/node_modules/keytar/prebuilds'), { recursive: true });
    mkdirSync(join(pack, 'daemon/node_modules/keytar/prebuilds/mips'), { recursive: true });
  });
  // Without a checksum program, Node.js finds the damage.
  const tools = join(home.home, '..', 'tools');
  mkdirSync(tools);
  for (const tool of ['sh', 'uname', 'id', 'readlink', 'head'])
    symlinkSync(`/usr/bin/${tool}`, join(tools, tool));
  await refused(
    /README\.md is not as it was packed/,
    (pack) => appendFileSync(join(pack, 'README.md'), ' '),
    tools,
  );
  const broken = home.pack('one', { profiles: { ClaudeCode: { ...PROFILE, redirect_port: 'x' } } });
  t.match(await home.install(broken), { status: 1, stderr: /redirect_port.*\(ERR_CONFIG_INVALID\)/ });
  t.same(home.tree(), before);
});

t.test("nobody, not even root, installs into another user's home", { skip: root }, async (t) => {
  const home = await emptyHome(t);
  const pack = home.pack('one');
  const bySudo = await home.install(pack, [], { env: { SUDO_UID: '1000' } });
  t.match(bySudo, { status: 2, stderr: /root.*\(ERR_USAGE\)\n {2}fix: .*without sudo/ });
  chownSync(home.home, OTHER_USER.uid, OTHER_USER.gid);
  t.match(await home.install(pack), { status: 2, stderr: /\(ERR_USAGE\)/ });
  chownSync(home.home, 0, 0);
  t.match(await home.install(pack, [], { env: { HOME: '' } }), { status: 2, stderr: /HOME is not set/ });
  t.notOk(existsSync(home.directory));
});

t.test('an installation of the legacy tool is replaced in place', async (t) => {
  const home = await emptyHome(t);
  const folder = home.directory;
  put(home, 'claude-code-with-bedrock/credential-process', '\x7fELF old', 0o755);
  put(home, 'claude-code-with-bedrock/otel-helper', '\x7fELF old', 0o755);
  const earlier = { okta_domain: 'old.okta.com', okta_client_id: 'old', identity_pool_name: 'us-east-1:1' };
  put(home, 'claude-code-with-bedrock/config.json', JSON.stringify({ Other: earlier, ClaudeCode: earlier }));
  const mine = '[default]\nregion = eu-west-1\n';
  const own = `[profile ClaudeCode]\ncredential_process = ${folder}/credential-process --profile ClaudeCode\nregion = us-west-2\n`;
  put(home, '.aws/config', `${mine}\n${own}`);
  const keys = 'aws_access_key_id = A\naws_secret_access_key = B\naws_session_token = C\n';
  put(
    home,
    '.aws/credentials',
    `[mine]\n${keys}\n[ClaudeCode]\n${keys}x-expiration = 2025-01-01T00:00:00Z\n`,
  );
  const old = { env: { AWS_PROFILE: 'ClaudeCode', MINE: '1' }, otelHeadersHelper: `${folder}/otel-helper` };
  put(home, '.claude/settings.json', JSON.stringify(old, null, 2));

  t.match(await home.install(home.pack('one')), {
    status: 0,
    stderr: '',
    stdout: /\[ClaudeCode\] of the\s+legacy tool removed/,
  });
  t.ok(lstatSync(join(folder, 'credential-process')).isSymbolicLink());
  t.match(JSON.parse(read(home, 'claude-code-with-bedrock/config.json')), {
    Other: earlier,
    ClaudeCode: PROFILE,
  });
  t.equal(read(home, '.aws/config'), `${mine}\n${own.replace('us-west-2', 'us-east-1')}`);
  t.equal(read(home, '.aws/credentials'), `[mine]\n${keys}`);
  t.match(settingsOf(home), { env: { ...SETTINGS.env, MINE: '1' } });
  t.match(await home.run('/bin/sh', ['-c', `${commandIn(home)} --explain`]), { status: 0 });

  t.match(await home.uninstall(), { status: 0 });
  t.equal(read(home, '.aws/config'), mine, 'what led here is gone');
  t.same(settingsOf(home), { env: { MINE: '1' } });
  t.notOk(existsSync(folder));
});

t.test(
  'a folder that was unpacked by hand becomes an installation, and its daemon is replaced',
  async (t) => {
    const home = await emptyHome(t);
    const pack = home.pack('one');
    cpSync(pack, home.directory, { recursive: true });
    t.match(await home.run(home.program('bedrock-auth'), ['service', 'start']), { status: 0 });
    const before = await home.client.ask<VersionReply>({ route: 'version' });
    t.match(await home.install(pack), { status: 0, stderr: '' });
    t.not((await home.client.ask<VersionReply>({ route: 'version' })).pid, before.pid);
    for (const name of ['daemon', 'shim', 'bedrock-auth']) {
      t.ok(lstatSync(join(home.directory, name)).isSymbolicLink(), name);
    }
    t.match(await home.install(pack), { status: 0, stdout: /there is nothing to change/ });
    t.match(await home.uninstall(), { status: 0 });
    t.same(home.tree(), []);
  },
);

t.test('the next run completes an installation that lost its reader or got Ctrl-C', async (t) => {
  const home = await emptyHome(t);
  const pack = home.pack('one');
  const piped = await home.run('/bin/sh', ['-c', '"$0"/install.sh | head -n 1', pack]);
  t.match(piped, { status: 0, stderr: '' });
  t.match(await home.install(pack), { stdout: /there is nothing to change/ }, 'all of it was done');
  const two = home.pack('two', { build: NEWER });
  const child = home.start(join(two, 'install.sh'));
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  child.stdout?.once('data', () => child.kill('SIGINT'));
  await new Promise((resolve) => child.once('close', resolve));
  t.match(said, /^$|\(ERR_INTERRUPTED\)/);
  t.match(await home.install(two), { status: 0 });
  t.match(await home.run(home.program('bedrock-auth'), ['--version']), { stdout: /99\.0\.0/ });
});

t.test('keys of another tool in ~/.aws/credentials are reported and stay', async (t) => {
  const home = await emptyHome(t);
  const text = '[ClaudeCode]\naws_access_key_id = A\naws_secret_access_key = B\n';
  put(home, '.aws/credentials', text);
  const output = await home.install(home.pack('one'));
  t.match(output, { status: 3, stdout: /Left to do by hand:\n.*\[ClaudeCode\]/s });
  t.equal(read(home, '.aws/credentials'), text);
});

t.test(
  'a file that cannot be edited stays, the lines to add are printed, and the rest is installed',
  async (t) => {
    const home = await emptyHome(t);
    put(home, '.aws/config', '[profile ClaudeCode]\n\n[profile ClaudeCode]\n');
    put(home, '.claude/settings.json', '{ "env": ');
    const before = [read(home, '.aws/config'), read(home, '.claude/settings.json')];
    const output = await home.install(home.pack('one'));
    t.equal(output.status, 3, output.stderr);
    t.match(
      output.stdout,
      /~\/\.aws\/config is left as it is: it has \[profile ClaudeCode\] more than\s+once/,
    );
    t.match(
      output.stdout,
      /^\[profile ClaudeCode\]\nregion = us-east-1\ncredential_process = \/.*--profile ClaudeCode$/m,
    );
    t.match(output.stdout, /~\/\.claude\/settings\.json is left as it is: it is no JSON object/);
    t.match(output.stdout, /^ {4}"CLAUDE_CODE_USE_BEDROCK": "1",$/m);
    t.same([read(home, '.aws/config'), read(home, '.claude/settings.json')], before);
    t.match(await home.run(home.program('bedrock-auth'), ['--version']), { status: 0 });
    await home.uninstall();
    t.same([read(home, '.aws/config'), read(home, '.claude/settings.json')], before);
  },
);

t.test('profiles of other packages stay, and an unreadable config.json is kept as a copy', async (t) => {
  const home = await emptyHome(t);
  const names = () => Object.keys(JSON.parse(read(home, 'claude-code-with-bedrock/config.json')).profiles);
  t.match(await home.install(home.pack('one')), { status: 0 });
  t.match(await home.install(home.pack('two', { profiles: { Team: PROFILE } })), { status: 0 });
  t.same(names(), ['ClaudeCode', 'Team']);
  t.match(read(home, '.aws/config'), /\[profile ClaudeCode\][\s\S]*\n\n\[profile Team\]/);
  put(home, 'claude-code-with-bedrock/config.json', '{ broken');
  t.match(await home.install(home.pack('two', { profiles: { Team: PROFILE } })), {
    status: 0,
    stdout: /cannot be\s+read/,
  });
  t.same(names(), ['Team']);
  t.equal(read(home, 'claude-code-with-bedrock/config.json.unreadable'), '{ broken');
  t.match(await home.uninstall(), { status: 0 });
  t.same(home.tree(), []);
});

t.test('a damaged version is replaced by running the installer again', async (t) => {
  const home = await emptyHome(t);
  const pack = home.pack('one');
  await home.install(pack);
  rmSync(join(home.directory, 'shim/bedrock-auth.js'));
  rmSync(join(home.directory, 'otel-helper'));
  t.match(await home.install(pack), { status: 0, stderr: '' });
  t.match(await home.run(home.program('bedrock-auth'), ['--version']), { status: 0 });
  t.match(await home.run(home.program('otel-helper'), []), { status: 0, stdout: '{}\n' });
  t.equal(readdirSync(join(home.directory, 'versions')).length, 1);
  // Each version of an installation is a package itself.
  const again = await home.run(join(home.directory, 'current/install.sh'), []);
  t.match(again, { status: 0, stdout: /there is nothing to change/ });
});

t.test('a version stays until no program runs from it', async (t) => {
  const home = await emptyHome(t);
  await home.install(home.pack('one'));
  const child = home.start(home.program('bedrock-auth'), ['exec', '--', 'sleep', '60'], {
    env: { CCWB_SIGN_IN: 'off' },
  });
  child.kill('SIGKILL');
  const [version = ''] = readdirSync(join(home.directory, 'versions'));
  const script = join(home.directory, 'versions', version, 'shim', 'bedrock-auth.js');
  const running = home.start(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)', script]);
  const two = home.pack('two', { build: NEWER });
  t.match(await home.install(two), { status: 0, stdout: /stays, programs run from it/ });
  t.ok(existsSync(script));
  running.kill('SIGKILL');
  await new Promise((resolve) => running.once('close', resolve));
  t.match(await home.install(two), { status: 0 });
  t.notOk(existsSync(script));
});

t.test('of two installers at once one installs and the other reports it', async (t) => {
  const home = await emptyHome(t);
  const pack = home.pack('one');
  const outputs = await Promise.all([home.install(pack), home.install(pack), home.install(pack)]);
  const refused = outputs.filter(({ status }) => status !== 0);
  for (const each of refused) t.match(each.stderr, /another installation is under way/);
  t.ok(refused.length < 3);
  t.match(await home.install(pack), { status: 0, stdout: /nothing to change/ });
});

t.test('without its record an uninstallation still removes all references to the installation', async (t) => {
  const home = await emptyHome(t);
  put(home, '.aws/config', '[default]\nregion = x\n');
  await home.install(home.pack('one'));
  rmSync(join(home.directory, 'installed.json'));
  t.match(await home.uninstall(), { status: 0, stdout: /may be\s+your\s+own/ });
  t.equal(read(home, '.aws/config'), '[default]\nregion = x\n');
  t.same(settingsOf(home), { env: { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' } });
  t.notOk(existsSync(home.directory));
});

function mounted(t: Test, ...args: string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
  t.teardown(() => spawnSync('umount', ['--lazy', args.at(-1) ?? '']));
}

t.test('an installation on a read-only or full disk loses nothing', { skip: root }, async (t) => {
  const home = await emptyHome(t);
  const [one, two] = [home.pack('one'), home.pack('two', { build: NEWER })];
  mounted(t, '-t', 'tmpfs', '-o', 'size=16m,mode=700', 'tmpfs', home.home);
  mkdirSync(join(home.home, 'run'), { mode: 0o700 });
  const small = await home.install(one);
  t.match(small, {
    status: 1,
    stderr: /no room in .* are needed, .* are free \(ERR_INSTALL_FAILED\)\n {2}fix: /,
  });
  t.same(home.tree(), []);
  spawnSync('mount', ['-o', 'remount,size=36m', home.home]);
  t.match(await home.install(one), { status: 0 });
  const before = home.tree();
  // The check finds enough space, and then another program takes it.
  const filler = join(home.home, 'run', 'filler');
  const { bavail, bsize } = statfsSync(home.home);
  writeFileSync(filler, Buffer.alloc(bavail * bsize - 4_000_000));
  const full = await home.install(two);
  t.match(full, { status: 1, stderr: /no room|is full/ });
  t.same(home.tree(), before, 'what was there still is');
  t.match(await home.run(home.program('bedrock-auth'), ['--version']), { status: 0, stdout: /0\.1\.0/ });
  rmSync(filler);
  spawnSync('mount', ['-o', 'remount,ro', home.home]);
  t.match(await home.install(two), { status: 1, stderr: /read-only \(ERR_INSTALL_FAILED\)/ });
  spawnSync('mount', ['-o', 'remount,rw', home.home]);
  t.same(treeOf(home.home), before);
  t.match(await home.install(two), { status: 0, stderr: '' });
});

t.test('SHA256SUMS names only files of the package', async (t) => {
  const home = await emptyHome(t);
  const pack = home.pack('one');
  writeFileSync(join(home.home, 'outside'), 'x');
  writeSums(pack);
  const sums = join(pack, 'SHA256SUMS');
  writeFileSync(sums, readFileSync(sums, 'utf8').replace('  README.md', '  ../../home/outside'));
  const output = await home.install(pack);
  t.match(output, { status: 1, stderr: /\(ERR_PACKAGE_INVALID\)/ });
  t.notOk(existsSync(home.directory));
});
