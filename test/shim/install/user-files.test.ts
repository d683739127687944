/** A thousand files of users: installing and uninstalling gives back the same bytes. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseConfig } from '../../../protocol/config.ts';
import { planAwsConfig } from '../../../shim/install/aws-config.ts';
import { planClaudeSettings } from '../../../shim/install/claude-settings.ts';
import type { InstallPlan } from '../../../shim/install/install-plan.ts';
import { readInstallationRecord } from '../../../shim/installation/installation-record.ts';
import { RECORD_FILE } from '../../../shim/installation/layout.ts';
import type { ShimEdges } from '../../../shim/program/edges.ts';
import { planAwsConfigRemoval } from '../../../shim/uninstall/aws-config.ts';
import { planClaudeSettingsRemoval } from '../../../shim/uninstall/claude-settings.ts';
import { sectionsOf } from '../../../shim/user-files/aws-files.ts';
import { type JsonObject, objectIn } from '../../../shim/user-files/json-text.ts';
import { SETTINGS } from '../../../tools/support/package.ts';
import { type Random, seededRandom } from '../../../tools/support/random.ts';
import { PROFILE } from '../fixtures/installation.ts';
import { fakeProgram } from '../fixtures/program.ts';

const COUNT = Number(process.env.CCWB_TEST_FILES || 1_000);
const NAMES = ['ClaudeCode'];

/** The package of the first installation, and of its upgrade. */
const PACKAGES: readonly [Contents, Contents] = [
  { region: 'us-east-1', settings: SETTINGS },
  {
    region: 'eu-west-1',
    settings: {
      ...SETTINGS,
      env: { ...SETTINGS.env, AWS_REGION: 'eu-west-1', OTEL_METRICS_EXPORTER: 'otlp' },
    },
  },
];

type Contents = { region: string; settings: JsonObject };
type Kind = 'config' | 'settings';

/** The state before the installation: nothing, a folder, or a file. */
type Found = {
  text: Buffer | undefined;
  folder: boolean;
  mode: number;
  link: 'none' | 'file' | 'nowhere';
  foreign: boolean;
};

function planOf(kind: Kind, edges: ShimEdges, { region, settings }: Contents): InstallPlan {
  const text = JSON.stringify({ profiles: { ClaudeCode: { ...PROFILE, aws_region: region } } });
  if (kind === 'config') return planAwsConfig(edges, parseConfig(text, 'config.json'));
  return planClaudeSettings(edges, settings, NAMES);
}

async function uninstall(kind: Kind, edges: ShimEdges): Promise<string[]> {
  const plan = kind === 'config' ? planAwsConfigRemoval(edges) : planClaudeSettingsRemoval(edges, NAMES);
  const left: string[] = [];
  for (const step of plan.steps) left.push(...(await step.remove()));
  return left;
}

const CONFIG_PIECES: readonly [string, ...string[]] = [
  '[default]\n',
  ...['region = us-west-2\n', 'output=json\n', '# words\n', '; words # more\n', '\n', '  \n', 'no sense\n'],
  ...['[profile a]\nregion = x\n', '[profile b]\n', 's3 =\n  max_concurrent_requests = 20\n', '[broken\n'],
  ...['[sso-session s]\nsso_region = y\n', 'é = ü\n', '[profile ClaudeCodeX]\nregion=q\n', '[ClaudeCode]\n'],
];
const OWN_PIECES: readonly [string, ...string[]] = [
  '[profile ClaudeCode]\n',
  '[profile ClaudeCode]\nregion=ap-south-1 # here\n',
  '[profile ClaudeCode]\ncredential_process = /opt/other --x\nrole_arn = z\n',
  '[profile "ClaudeCode"]\nREGION = x\n# about\n',
];

function configText(random: Random): string {
  let text = '';
  for (let count = random.whole(0, 12); count > 0; count -= 1) text += random.pick(CONFIG_PIECES);
  if (random.chance(0.3)) text += random.pick(OWN_PIECES);
  if (random.chance(0.05)) text += random.pick(OWN_PIECES);
  if (random.chance(0.3)) text += random.pick(CONFIG_PIECES);
  return text;
}

function settingsText(random: Random): string {
  const env: Record<string, unknown> = {};
  for (const [name, values] of [
    ['MINE', ['1', 'x']],
    ['AWS_REGION', ['us-east-1', 'ap-south-1']],
    ['CLAUDE_CODE_USE_BEDROCK', ['1', '0']],
    ['AWS_PROFILE', ['work']],
  ] as const) {
    if (random.chance(0.3)) env[name] = random.pick(values);
  }
  const root: Record<string, unknown> = random.chance(0.3) ? { model: 'opus' } : {};
  if (random.chance(0.7)) root.env = env;
  if (random.chance(0.2)) root.awsAuthRefresh = 'aws sso login';
  if (random.chance(0.3)) root.permissions = { allow: ['Bash(ls:*)', 'ü'], deny: [] };
  if (random.chance(0.03)) root.env = 'no object';
  let text = JSON.stringify(root, null, random.pick([0, 2, 4, '\t', 1]));
  if (random.chance(0.6)) text += '\n';
  if (random.chance(0.15)) text = `// words\n${text.replace(/^\{/, '{ /* more */')}`;
  if (random.chance(0.05)) text = text.replace(/^\{/, '{"env": {"A": "twice"},');
  if (random.chance(0.08)) text = random.pick(['', ' \n', '{', '[]', '{"a": 1,}', 'null', '{]', '{}', '"x"']);
  return text;
}

function found(random: Random, kind: Kind): Found {
  if (random.chance(0.05)) return { text: undefined, folder: random.chance(0.5), ...PLAIN };
  let text = kind === 'config' ? configText(random) : settingsText(random);
  if (random.chance(0.2)) text = text.replaceAll('\n', '\r\n');
  if (random.chance(0.2)) text = text.replace(/\r?\n$/, '');
  if (random.chance(0.1)) text = `\ufeff${text}`;
  if (random.chance(0.01)) text += ' '.repeat(1_100_000);
  const bytes = random.chance(0.03)
    ? Buffer.concat([Buffer.from(text), Buffer.from([0xff])])
    : Buffer.from(text);
  return {
    text: bytes,
    folder: true,
    mode: random.pick([0o600, 0o600, 0o644, 0o640, 0o664, 0o444]),
    link: random.chance(0.1) ? random.pick(['file', 'nowhere']) : 'none',
    foreign: process.getuid?.() === 0 && random.chance(0.03),
  };
}
const PLAIN = { mode: 0o600, link: 'none', foreign: false } as const;

/** Leaves the state of an installer that was killed between recording an edit and writing it. */
async function killedBeforeWriting(plan: InstallPlan, installation: string, path: string): Promise<void> {
  const { files } = readInstallationRecord(installation);
  const text = existsSync(path) ? readFileSync(path) : undefined;
  for (const { apply: make } of plan.changes) await make();
  if (plan.changes.length === 0) return;
  const announced = readInstallationRecord(installation).files;
  writeFileSync(join(installation, RECORD_FILE), JSON.stringify({ version: 1, files, announced }));
  if (text === undefined) rmSync(path);
  else writeFileSync(path, text);
}

/** A folder in memory, if there is one, where fsync takes no time. */
function inMemory(t: { teardown(action: () => void): void }): string {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ccwb-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Returns names, kinds, modes, owners and bytes of everything in a home. */
function stateOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('claude-code-with-bedrock'))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mode, uid } = lstatSync(path);
      const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
      return `${name} ${mode.toString(8)} ${uid} ${isFile ? readFileSync(path, 'latin1') : ''}`;
    });
}

function lay(home: string, path: string, { text, folder, mode, link, foreign }: Found): void {
  const elsewhere = join(home, 'elsewhere');
  mkdirSync(elsewhere);
  if (folder) mkdirSync(join(path, '..'), { recursive: true });
  if (text === undefined) return;
  const file = link === 'none' ? path : join(elsewhere, 'file');
  if (link !== 'nowhere') {
    writeFileSync(file, text);
    chmodSync(file, mode);
    if (foreign) chownSync(file, 12_345, 12_345);
  }
  if (link !== 'none') symlinkSync(file, path);
}

for (const kind of ['config', 'settings'] as const) {
  t.test(`${COUNT} files, ${kind}: installing and uninstalling gives back the same bytes`, async (t) => {
    const { program: base } = fakeProgram(t, async () => ({}));
    const folder = inMemory(t);
    let edited = 0;
    let left = 0;
    for (let number = 0; number < COUNT; number += 1) {
      const random = seededRandom(1_000 * (kind === 'config' ? 1 : 2) + number);
      const home = join(folder, String(number), random.pick(['home', 'two words', "o'neil", 'é "q"']));
      const installation = join(home, 'claude-code-with-bedrock');
      mkdirSync(installation, { recursive: true });
      const program = { ...base, installation, env: { HOME: home } };
      const path = join(home, kind === 'config' ? '.aws/config' : '.claude/settings.json');
      lay(home, path, found(random, kind));
      const before = stateOf(home);
      const [first, second] = PACKAGES;
      if (random.chance(0.2)) await killedBeforeWriting(planOf(kind, program, first), installation, path);
      const plan = planOf(kind, program, first);
      for (const { apply: make } of plan.changes) await make();
      const wrong: string[] = [];
      if (plan.manualSteps.length > 0) {
        left += 1;
        if (stateOf(home).join() !== before.join()) wrong.push('changed although left to do by hand');
      } else if (!isInPlace(kind, path, installation)) wrong.push('not in place');
      else edited += 1;
      const again = planOf(kind, program, first);
      if (again.changes.length > 0) wrong.push('a second time it changes something');
      if (random.chance(0.5)) {
        if (random.chance(0.3)) await killedBeforeWriting(planOf(kind, program, second), installation, path);
        for (const { apply: make } of planOf(kind, program, second).changes) await make();
        for (const { apply: make } of planOf(kind, program, random.pick(PACKAGES)).changes) await make();
      }
      // Without the record only files without our edits can be compared.
      wrong.push(...(await uninstall(kind, program)));
      const after = stateOf(home);
      if (after.join() !== before.join()) wrong.push('not as before');
      if (wrong.length > 0) {
        t.fail(`number ${number}: ${wrong.join('; ')}`, { before, after });
        break;
      }
      rmSync(join(folder, String(number)), { recursive: true });
    }
    t.ok(edited > COUNT / 2, `${edited} edited`);
    t.ok(left > COUNT / 50, `${left} left to do by hand`);
  });

  t.test(`${kind}: changes of others stay, and only our own parts are removed`, async (t) => {
    const { program: base } = fakeProgram(t, async () => ({}));
    const folder = inMemory(t);
    for (let number = 0; number < 200; number += 1) {
      const random = seededRandom(10_000 * (kind === 'config' ? 1 : 2) + number);
      const home = join(folder, String(number));
      const installation = join(home, 'claude-code-with-bedrock');
      mkdirSync(installation, { recursive: true });
      const program = { ...base, installation, env: { HOME: home } };
      const path = join(home, kind === 'config' ? '.aws/config' : '.claude/settings.json');
      const text = kind === 'config' ? configText(random) : settingsText(random);
      lay(home, path, { text: Buffer.from(text), folder: true, ...PLAIN });
      const plan = planOf(kind, program, PACKAGES[0]);
      if (plan.manualSteps.length > 0) continue;
      for (const { apply: make } of plan.changes) await make();
      const now = existsSync(path) ? readFileSync(path, 'utf8') : '';
      writeFileSync(path, kind === 'config' ? `${now}\n[profile later]\nregion = z\n` : withMore(now));
      if (random.chance(0.5))
        for (const { apply: make } of planOf(kind, program, PACKAGES[1]).changes) await make();
      t.same(await uninstall(kind, program), []);
      const after = readFileSync(path, 'utf8');
      const expected = kind === 'config' ? `${text}\n[profile later]\nregion = z\n` : withMore(text);
      const same =
        kind === 'config'
          ? words(after) === words(expected)
          : JSON.stringify(meaning(after)) === JSON.stringify(meaning(expected));
      if (!same) {
        t.fail(`number ${number}`, { text, now, after, expected });
        break;
      }
    }
  });
}

function isInPlace(kind: Kind, path: string, installation: string): boolean {
  const text = readFileSync(path, 'utf8');
  if (kind === 'settings') {
    const { env } = objectIn(text) as { env: Record<string, string> };
    return env.AWS_PROFILE === 'ClaudeCode' && env.CCWB_SIGN_IN === 'off';
  }
  const section = sectionsOf(text).find(({ profile, bare }) => profile === 'ClaudeCode' && !bare);
  const command = section?.settings.get('credential_process') ?? '';
  // Split like a POSIX shell and Python's shlex.
  const quoted = command.replace(/^'([\s\S]*)' --profile ClaudeCode$/, '$1').replaceAll("'\\''", "'");
  const plain = quoted.replace(/^"(.*)" --profile ClaudeCode$/, '$1').replace(/ --profile ClaudeCode$/, '');
  return (
    plain === join(installation, 'credential-process') && section?.settings.get('region') === 'us-east-1'
  );
}

function withMore(text: string): string {
  const root = objectIn(text) ?? {};
  return JSON.stringify({ ...root, later: [1] }, null, 2);
}

/** Returns the lines of a text without the blank ones. */
function words(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .filter(Boolean)
    .join('\n');
}

/** Parses the settings, without an empty `env`. */
function meaning(text: string): unknown {
  const root = objectIn(text) ?? {};
  const { env, ...rest } = root as { env?: object };
  const sorted = Object.entries({
    ...rest,
    ...(env && Object.keys(env).length > 0 ? { env: Object.entries(env).sort() } : {}),
  });
  return sorted.sort(([one], [other]) => (one < other ? -1 : 1));
}
