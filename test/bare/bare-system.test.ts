import { type ChildProcess, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { approveDevice } from '../../sandbox/browser/browserless.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { becomeBuild } from '../../tools/support/builds.ts';
import { writeSums } from '../../tools/support/package.ts';
import {
  BARE_SYSTEMS,
  type BareSystem,
  differences,
  noBareSystem,
  startBareSystem,
} from '../fixtures/bare-system.ts';

const CCWB = fileURLToPath(new URL('../../admin/ccwb.js', import.meta.url));
const NEWER = '0.9.0';
/** What the archive unpacks to, and where it is installed. */
const FOLDER = 'claude-code-with-bedrock';

const skip = BARE_SYSTEMS.map(noBareSystem).find((reason) => reason !== false) ?? false;

/** The archive that `ccwb package` makes for this kind of machine, and the same as a later build would be. */
function makeArchives(t: Test, profile: object): { current: string; newer: string } {
  const directory = mkdtempSync(join(tmpdir(), 'ccwb-archives-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const config = join(directory, 'config.json');
  writeFileSync(config, JSON.stringify({ profiles: { ClaudeCode: profile } }));
  const made = run(process.execPath, [
    CCWB,
    ...['package', '--config', config, '--output', directory, '--json'],
    ...['--target-platform', `linux-${process.arch}`],
  ]);
  const report = JSON.parse(made) as { directory: string; archives: { file: string }[] };
  const current = join(report.directory, report.archives[0]?.file ?? '');
  run('tar', ['-xzf', current, '-C', directory]);
  const folder = join(directory, FOLDER);
  becomeBuild(folder, { build: NEWER });
  const version = join(folder, 'version.json');
  writeFileSync(version, JSON.stringify({ ...JSON.parse(readFileSync(version, 'utf8')), build: NEWER }));
  writeSums(folder);
  const newer = join(directory, 'newer.tar.gz');
  run('tar', ['-czf', newer, '-C', directory, FOLDER]);
  return { current, newer };

  function run(file: string, args: string[]): string {
    const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
    t.equal(status, 0, stderr);
    return stdout;
  }
}

/** Unpacks an archive in a folder of the home, as a person does. */
async function unpack(t: Test, system: BareSystem, archive: string, folder: string): Promise<string> {
  const place = join(system.home, folder);
  system.bring(archive, `${place}.tar.gz`);
  const script = 'mkdir "$1" && tar -xzf "$1.tar.gz" -C "$1" && rm "$1.tar.gz"';
  const { status, stderr } = await system.run('sh', ['-c', script, 'sh', place]);
  t.equal(status, 0, stderr);
  return join(place, FOLDER);
}

/** The address with the code in it, as soon as it is printed. */
function deviceAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const [address] = /http\S+user_code=\S+(?=\n)/.exec(text) ?? [];
        if (address !== undefined) resolve(address);
      });
    }
    child.once('close', (status) => reject(new Error(`ended with ${status}: ${text}`)));
  });
}

/** Asks for credentials again and again until the file `stop` is there; ends with how often, and each failure. */
const ASK_ON = `asked=0
while [ ! -e stop ]; do
  ${FOLDER}/credential-process --profile ClaudeCode >answer || { echo "failed: $?"; cat answer; }
  asked=$((asked + 1))
done
rm -f stop answer
echo "asked $asked times"`;

t.test('a package lives and dies on a system that has nothing else', { skip }, async (t) => {
  const sandbox = await startSandbox();
  t.teardown(() => sandbox.close());
  const { current, newer } = makeArchives(t, sandbox.profile());
  for (const release of BARE_SYSTEMS) {
    await t.test(release, async (t) => {
      const system = await startBareSystem(t, release);
      const before = system.snapshot();
      const program = (name: string): string => join(system.home, FOLDER, name);
      for (const absent of ['node', 'python3', 'aws', 'curl']) {
        t.equal((await system.run('sh', ['-c', `command -v ${absent}`])).stdout, '', `no ${absent}`);
      }

      const first = await unpack(t, system, current, 'downloads');
      const installed = await system.run(join(first, 'install.sh'));
      t.equal(installed.status, 0, installed.stderr);
      t.match(installed.stdout, /\nNext: \S+bedrock-auth login\n$/);

      const login = system.start(program('bedrock-auth'), ['login', '--device']);
      const signedIn = new Promise((resolve) => login.once('close', resolve));
      await approveDevice(await deviceAddress(login));
      t.equal(await signedIn, 0);
      const answer = await system.run(program('credential-process'), ['--profile', 'ClaudeCode']);
      t.equal(answer.status, 0, answer.stderr);
      t.match(JSON.parse(answer.stdout), { Version: 1, AccessKeyId: /^ASIA/ });
      const status = await system.run(program('bedrock-auth'), ['status']);
      t.match(status.stdout, /^ClaudeCode {2}signed in as demo@/);

      const second = await unpack(t, system, newer, 'newer');
      const asking = system.run('sh', ['-c', ASK_ON]);
      const upgraded = await system.run(join(second, 'install.sh'));
      t.equal(upgraded.status, 0, upgraded.stderr);
      const after = await system.run(program('bedrock-auth'), ['status', '--json']);
      t.equal(JSON.parse(after.stdout).daemon.build, NEWER, 'the daemon is the newer one');
      await system.run('touch', ['stop']);
      const { stdout, stderr } = await asking;
      t.match(stdout, /^asked [1-9]\d* times\n$/, `no request failed: ${stderr}`);
      t.comment(stdout.trim());

      const removed = await system.run(program('bedrock-auth'), ['uninstall', '--yes']);
      t.equal(removed.status, 0, removed.stderr);
      await system.run('rm', ['-r', 'downloads', 'newer']);
      t.strictSame(differences(before, system.snapshot()), []);
    });
  }
});
