import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const SOURCES = join(ROOT, 'tools/sdks');
/** The folder of all downloads and builds. */
const OUTPUT = join(ROOT, 'build/sdks');

/** The pinned Python SDKs; the other SDKs are pinned by their lock files. */
const PYTHON_PACKAGES = ['awscli==1.46.3', 'boto3==1.44.8'];

type BuiltClient = { version: string; command: readonly [string, ...string[]] };
/** `broken`: the toolchain exists, but failed. */
type Missing = { missing: string; broken: boolean };

/** A virtual environment with the AWS CLI v1 and boto3. */
export function installPython(): { directory: string } | Missing {
  const directory = join(OUTPUT, 'python');
  const done = join(directory, 'installed');
  const wanted = PYTHON_PACKAGES.join('\n');
  if (existsSync(done) && readFileSync(done, 'utf8') === wanted) return { directory };
  const problem =
    run('python3', ['-m', 'venv', '--clear', directory]) ??
    run(join(directory, 'bin/pip'), ['install', '--quiet', ...PYTHON_PACKAGES]);
  if (problem) return problem;
  writeFileSync(done, wanted);
  return { directory };
}

export function javaScriptSdkVersion(): string {
  const manifest = createRequire(import.meta.url).resolve('@aws-sdk/client-sts/package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

export function buildGo(): BuiltClient | Missing {
  const program = join(OUTPUT, 'go/caller-identity');
  const environment = {
    GOMODCACHE: join(OUTPUT, 'go/modules'),
    GOCACHE: join(OUTPUT, 'go/cache'),
    // The module cache is read-only otherwise, and could not be removed with build/.
    GOFLAGS: '-mod=readonly -modcacherw -buildvcs=false',
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '0',
  };
  const sources = join(SOURCES, 'go');
  const problem = run('go', ['build', '-o', program, '.'], sources, environment);
  if (problem) return problem;
  return { version: versionIn('go/go.mod', /aws-sdk-go-v2 v(\S+)/), command: [program] };
}

export function buildJava(): BuiltClient | Missing {
  const directory = join(OUTPUT, 'java');
  const libraries = join(directory, 'libraries');
  const classes = join(directory, 'classes');
  const version = versionIn('java/pom.xml', /<artifactId>bom<\/artifactId>\s*<version>(.+)<\/version>/);
  const done = join(directory, 'version');
  if (!existsSync(done) || readFileSync(done, 'utf8') !== version) {
    const maven = ['--quiet', '--batch-mode', `-Dmaven.repo.local=${join(directory, 'repository')}`];
    const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${libraries}`];
    const problem = run('mvn', [...maven, `-DbuildDirectory=${directory}`, ...copy], join(SOURCES, 'java'));
    if (problem) return problem;
    writeFileSync(done, version);
  }
  const source = join(SOURCES, 'java/src/main/java/CallerIdentity.java');
  const problem = run('javac', ['-d', classes, '-cp', `${libraries}/*`, source]);
  if (problem) return problem;
  return { version, command: ['java', '-cp', `${classes}:${libraries}/*`, 'CallerIdentity'] };
}

export function buildRust(): BuiltClient | Missing {
  const target = join(OUTPUT, 'rust');
  const environment = {
    CARGO_HOME: join(OUTPUT, 'cargo'),
    CARGO_TARGET_DIR: target,
    // rustup keeps its toolchains in the user's home; HOME may be another folder here.
    RUSTUP_HOME: process.env.RUSTUP_HOME ?? join(userInfo().homedir, '.rustup'),
  };
  // rustup installs cargo even without a toolchain.
  if (run('cargo', ['--version'], ROOT, environment))
    return { missing: 'no cargo with a toolchain on this machine', broken: false };
  const problem = run('cargo', ['build', '--quiet', '--locked'], join(SOURCES, 'rust'), environment);
  if (problem) return problem;
  const version = versionIn('rust/Cargo.lock', /name = "aws-sdk-sts"\nversion = "(.+)"/);
  return { version, command: [join(target, 'debug/caller-identity')] };
}

function versionIn(file: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(join(SOURCES, file), 'utf8'))?.[1] ?? 'unknown';
}

/** Runs a command. Returns the reason it failed; undefined if it succeeded. */
function run(
  file: string,
  args: readonly string[],
  cwd: string = ROOT,
  environment: Readonly<Record<string, string>> = {},
): Missing | undefined {
  mkdirSync(OUTPUT, { recursive: true });
  process.stderr.write(`${file} ${args[0]} …\n`);
  const { error, status, stderr } = spawnSync(file, args, {
    cwd,
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
    return { missing: `no ${file} on this machine`, broken: false };
  if (status === 0) return undefined;
  process.stderr.write(stderr ?? '');
  return { missing: `${file} ${args[0]} failed with status ${status}`, broken: true };
}
