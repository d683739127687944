/** Runs the package's own installer in the temporary home, and compares that home before and after. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../common/atomic-file.ts';
import type { AdminEdges } from '../edges.ts';
import { runToEnd } from '../processes.ts';
import { userEnvironment } from './environment.ts';
import { readJson, type UnpackedPackage } from './package-under-test.ts';
import { checkEnd } from './programs.ts';
import { testFailure } from './steps.ts';
import type { TrialFolders } from './trial-folders.ts';

/** Copies and checks a hundred megabytes. */
const LIMIT_MS = 300_000;

/** Exit status of install.sh: installed, and something remains to be done by hand. */
const LEFT_TO_DO = 3;

/** Files of a user before the installation; they must be restored unchanged. */
const USER_FILES: Readonly<Record<string, string>> = {
  '.aws/config': '# mine\n[profile mine]\nregion = eu-central-1\n',
  '.claude/settings.json': '{ "env": { "MINE": "1" } }\n',
};

/** Every path of a home, with its content. */
export type Snapshot = ReadonlyMap<string, string>;

/** Creates files of a user in the empty home. */
export function createUserFiles({ home }: TrialFolders): Snapshot {
  for (const [path, text] of Object.entries(USER_FILES)) {
    mkdirSync(join(home, path, '..'), { mode: 0o700 });
    writeFileSync(join(home, path), text, { mode: 0o600 });
  }
  return snapshotOf(home);
}

/** @returns the paths that differ. */
export function changesSince(before: Snapshot, { home }: TrialFolders): string[] {
  const after = snapshotOf(home);
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
}

function snapshotOf(folder: string): Snapshot {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    paths.map((path) => {
      const full = join(folder, path);
      const stat = lstatSync(full);
      const content = stat.isFile() ? createHash('sha256').update(readFileSync(full)).digest('hex') : '';
      return [path, `${stat.mode.toString(8)} ${content}`];
    }),
  );
}

/**
 * Runs install.sh without a service, since the administrator's own service must not be touched.
 *
 * @returns a description of the installation.
 * @throws CcwbError with the error of the installer.
 */
export async function install(
  pack: UnpackedPackage,
  folders: TrialFolders,
  edges: AdminEdges,
): Promise<string> {
  const args = ['--no-service', '--json'];
  const env = userEnvironment(folders, edges.env);
  const options = { env, cwd: pack.folder, limitMs: LIMIT_MS, signal: edges.interrupted };
  const ran = await runToEnd(join(pack.folder, 'install.sh'), args, options);
  if (ran.end.kind === 'failed' && ran.end.reason === 'EACCES') {
    const fix = 'set TMPDIR to a folder in which programs may be run';
    throw testFailure(`no program can be run in ${folders.root}: it is on a disk that forbids it`, fix);
  }
  const { output } = checkEnd('install.sh', ran, [0, LEFT_TO_DO]);
  const report = JSON.parse(output) as {
    leftToDo: { text: string; fix: string }[];
    checks: { check: string; outcome: string; text: string; fix: string | null }[];
  };
  const [left] = [...report.leftToDo, ...report.checks.filter(({ outcome }) => outcome === 'problem')];
  if (left) throw testFailure(`installed, but ${left.text}`, left.fix ?? 'see install.sh by hand');
  const changed = isolateConfig(folders);
  return changed.length === 0 ? pack.build : `${pack.build}; for the test without ${changed.join(', ')}`;
}

/** Fields of config.json with effects outside the temporary home, and their replacements. */
const ISOLATED_FIELDS: Readonly<Record<string, { readonly words: string; readonly value?: string }>> = {
  // The keyring belongs to the administrator, whatever the home of a program is.
  credential_storage: { words: 'the keyring', value: 'session' },
  // Another daemon may serve there.
  container_credentials_port: { words: 'container credentials' },
  // Users run other programs than a test.
  allowed_programs: { words: 'allowed_programs' },
};

function isolateConfig({ installation }: TrialFolders): string[] {
  const path = join(installation, 'config.json');
  const root = readJson(path) ?? {};
  const profiles = (root.profiles ?? root) as Readonly<Record<string, Record<string, unknown>>>;
  const changed = new Set<string>();
  for (const fields of Object.values(profiles)) {
    for (const [name, { words, value }] of Object.entries(ISOLATED_FIELDS)) {
      if (fields[name] === undefined || fields[name] === value) continue;
      changed.add(words);
      fields[name] = value;
    }
  }
  if (changed.size > 0) replaceFile(path, `${JSON.stringify(root, undefined, 2)}\n`, 0o600);
  return [...changed];
}
