import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import t from 'tap';
import { BUILD_VERSION } from '../protocol/version.ts';
import {
  cyclesOf,
  filesIn,
  type Import,
  importsOf,
  parse,
  ROOT,
  type SourceFile,
  sourcesIn,
} from '../tools/support/source-tree.ts';
import { edgesIn } from './fixtures/edges-in.ts';

/** The folders of the product. Nothing of it imports the programs of {@link PROGRAMS} or test/. */
const FOLDERS = ['protocol', 'common', 'network', 'daemon', 'shim', 'admin', 'infra'] as const;
/** Programs for people and tests, which may import every folder but test/. */
const PROGRAMS = ['sandbox', 'tools'] as const;
type Folder = (typeof FOLDERS)[number] | (typeof PROGRAMS)[number];

/** docs and contracts speak of these arrows: what a folder may import besides itself and Node's own modules. */
const ARROWS: Record<Folder, (target: string, from: string) => boolean> = {
  protocol: () => false,
  common: (target) => folderOf(target) === 'protocol',
  network: (target) => ['protocol', 'common'].includes(folderOf(target)),
  daemon: (target) => ['protocol', 'common', 'network'].includes(folderOf(target)),
  shim: (target) => ['protocol', 'common'].includes(folderOf(target)),
  admin: (target, from) =>
    ['protocol', 'common', 'network'].includes(folderOf(target)) ||
    // Loading CDK takes longer than everything else a command does: one file does it, where a template is needed.
    (folderOf(target) === 'infra' && (from === 'admin/deploy/synth.ts' || !loadsCdk(target))),
  infra: (target) => folderOf(target) === 'protocol',
  sandbox: (target) => folderOf(target) !== 'test' && folderOf(target) !== 'tools',
  tools: (target) => folderOf(target) !== 'test',
};

/** Most source files side by side in a folder, and most files and folders in each of {@link LARGE_FOLDERS}. */
const LIMITS = { files: 20, children: 16 } as const;
const LARGE_FOLDERS = ['admin', 'daemon', 'shim'] as const;

/** One file per foreign library: it alone knows its words and turns its errors into ours. */
const OWNERS: Record<string, readonly string[]> = {
  'openid-client': [
    'daemon/oidc/oidc-client.ts',
    'daemon/oidc/device-grant.ts',
    'daemon/oidc/provider-errors.ts',
  ],
  '@aws-sdk/client-cognito-identity': ['daemon/aws/identity-pool.ts'],
  '@aws-sdk/client-sts': ['daemon/aws/role-federation.ts', 'admin/aws/aws-identity.ts'],
  '@aws-sdk/client-cloudformation': ['admin/aws/cloudformation.ts', 'admin/aws/cloudformation-replies.ts'],
  '@aws-sdk/client-s3': ['admin/aws/buckets.ts'],
  '@aws-sdk/client-bedrock': ['admin/aws/bedrock-models.ts'],
  '@aws-sdk/client-bedrock-runtime': ['admin/aws/bedrock-invoke.ts'],
  '@smithy/core': ['admin/aws/aws-identity.ts'],
  keytar: ['daemon/keyring-child.ts'],
  koffi: ['daemon/platform/native.ts'],
  pino: ['daemon/platform/log.ts'],
  'node-cron': ['daemon/aws/refresh-scheduler.ts'],
  fastify: ['daemon/api/server.ts'],
  '@aws-sdk/credential-provider-node': ['admin/aws/aws-identity.ts'],
  undici: ['network/transport.ts'],
  '@clack/prompts': ['admin/init/prompts/clack.ts'],
  yaml: ['admin/init/yaml.ts'],
  'jsonc-parser': ['admin/deploy/write-config.ts', 'shim/user-files/json-text.ts'],
  tar: ['admin/package/tarball.ts'],
  '@cyclonedx/cyclonedx-library': ['admin/package/sbom.ts'],
  commander: [
    'shim/bedrock-auth.ts',
    'admin/program.ts',
    'admin/commands/command.ts',
    'admin/terminal/completion.ts',
  ],
  'node:child_process': [
    'daemon/session/stores/keyring-store.ts',
    'shim/program/processes.ts',
    'admin/processes.ts',
  ],
};

/** Libraries that are a language of their own in one folder, rather than a service to hide. */
const FOLDER_LIBRARIES: Record<string, Folder> = { 'aws-cdk-lib': 'infra', constructs: 'infra' };

/** Who reads what a test replaces; everybody else is given it. */
const EDGES: Record<string, Record<string, string>> = {
  'Date.now': {
    'daemon/main.ts': 'builds the daemon\u2019s clock',
    'shim/program/run-program.ts': 'builds the shims\u2019 edges',
    'admin/ccwb.ts': 'builds the edges of ccwb',
  },
  'Math.random': {
    'daemon/main.ts': 'builds the daemon\u2019s jitter',
    'admin/ccwb.ts': 'builds the jitter of ccwb',
  },
  'process.env': {
    'daemon/main.ts': 'reads the daemon\u2019s settings and forgets the foreign ones',
    'daemon/session/stores/keyring-store.ts': 'passes the session bus on to its child process',
    'protocol/paths.ts': 'the default source of paths',
    'shim/program/run-program.ts': 'builds the shims\u2019 edges',
    'admin/ccwb.ts': 'builds the edges of ccwb',
  },
  console: {},
};

/** Source files without a test of the same name, and why. */
const WITHOUT_TEST: Record<string, string> = {
  'daemon/edges.ts': 'types only',
  'daemon/profiles/profile.ts': 'puts the parts of a profile together: profiles.test.ts uses each of them',
  'daemon/profiles/session-registry.ts': 'profiles.test.ts shares, replaces and settles sessions through it',
  'daemon/profiles/session-sign-ins.ts': 'profiles.test.ts signs in through it',
  'daemon/session/stores/keyring-protocol.ts': 'types and one constant',
  'daemon/sign-in/sign-in-registry.ts':
    'sign-ins.test.ts starts, joins, counts and cancels sign-ins through it',
  'protocol/probe.ts': 'types and one constant',
  'daemon/oidc/provider-errors.ts': 'oidc-client.test.ts lets a real provider make every error it translates',
  'protocol/profile-reader.ts': 'config.test.ts reads every kind of field through it',
  'common/terminal/layout.ts': 'doctor, status and logs of every program are laid out with it in their tests',
  'common/child-process.ts': 'types, and two functions that every child process ends with',
  'common/doctor.ts': 'the tests of both doctors run their checks with it',
  'common/findings.ts': 'the tests of both doctors read what it makes of findings',
  'common/completion/table.ts': 'types, and two functions that every script is made with',
  'common/completion/script.ts': 'shim/completion.test.ts runs what it gives in every shell',
  'common/completion/bash.ts': 'shim/completion.test.ts runs it in bash',
  'common/completion/zsh.ts': 'shim/completion.test.ts runs it in zsh',
  'common/completion/fish.ts': 'shim/completion.test.ts runs it in fish',
  'network/transport.ts':
    'daemon/platform/network.test.ts and admin/aws/network.test.ts send through it to real proxies',
  'network/aws-transport.ts': 'identity-pool.test.ts and role-federation.test.ts call AWS through it',
  'daemon/keyring-child.ts': 'a process of its own: keyring-store.test.ts starts it against a real keyring',
};

/** Folders whose tests mirror them name for name. */
const MIRRORED = ['protocol', 'common', 'network', 'daemon'] as const;

/** The packages the design card names. */
const CARD = [
  'fastify',
  '@aws-sdk/client-cognito-identity',
  'openid-client',
  'keytar',
  'pino',
  'node-cron',
  'commander',
  'aws-cdk-lib',
  '@vercel/ncc',
  'tap',
];

const sources: SourceFile[] = FOLDERS.flatMap(sourcesIn);
const imports: Import[] = sources.flatMap(importsOf);
const programs: SourceFile[] = PROGRAMS.flatMap(sourcesIn);
const allImports: Import[] = [...imports, ...programs.flatMap(importsOf)];

t.test('imports are found in every form they can take', async (t) => {
  const tree = parse(
    'daemon/x.ts',
    `import a from 'static';
     import type { B } from 'type-only';
     import 'side-effect';
     export * from 'export-all';
     export { c } from 'export-named';
     import d = require('import-equals');
     const e = await import('dynamic');
     const f = await import(\`template\`);
     const g = require('plain-require');
     const h = createRequire(import.meta.url)('made-require');
     const load = createRequire(import.meta.url);
     const i = load('named-require');
     const j = load.resolve('resolved');
     type K = typeof import('import-type');
     const l = await import(name);
     // import m from 'comment';
     const n = "import o from 'text'";`,
  );
  t.same(
    importsOf({ path: 'daemon/x.ts', tree }).map(({ specifier }) => specifier),
    [
      'static',
      'type-only',
      'side-effect',
      'export-all',
      'export-named',
      'import-equals',
      'dynamic',
      'template',
      'plain-require',
      'made-require',
      'named-require',
      'resolved',
      'import-type',
      '<computed>',
    ],
  );
});

t.test('edges are found in every form they can take', async (t) => {
  const tree = parse(
    'daemon/x.ts',
    `Date.now(); const now = Date.now; Date['now'](); new Date(); Date(); globalThis.Date.now();
     process.env.HOME; const { env } = process; process['env']; import { env as e } from 'node:process';
     console.log(1); globalThis.console; const c = console;
     Math.random(); const { random } = Math;
     new Date(0); Date.parse(''); process.pid; const o = { console: 1 }; o.console; clock.now(); // Date.now()`,
  );
  const found = edgesIn(tree);
  t.equal(found.filter((edge) => edge === 'Date.now').length, 6);
  t.equal(found.filter((edge) => edge === 'process.env').length, 4);
  t.equal(found.filter((edge) => edge === 'console').length, 3);
  t.equal(found.filter((edge) => edge === 'Math.random').length, 2);
});

t.test('folders import only along the arrows', async (t) => {
  for (const { from, target, kind } of allImports) {
    if (kind !== 'file') continue;
    const folder = folderOf(from) as Folder;
    const allowed = folderOf(target) === folder || ARROWS[folder](target, from);
    if (!allowed) t.fail(`${from} imports ${target}`);
  }
  t.ok(imports.length > 200, `${imports.length} imports looked at`);
});

t.test('a cycle is found through any number of files', async (t) => {
  const arrow = (from: string, target: string): Import => ({ from, specifier: '', target, kind: 'file' });
  t.same(cyclesOf([arrow('a', 'b'), arrow('b', 'c'), arrow('a', 'c')]), []);
  t.same(cyclesOf([arrow('a', 'b'), arrow('b', 'c'), arrow('c', 'a'), arrow('d', 'a')]), [['a', 'b', 'c']]);
});

t.test('no file imports itself through others, types included', async (t) => {
  t.same(cyclesOf(allImports), []);
});

t.test('a folder holds as many files as a reader can take in', async (t) => {
  const files = new Map<string, number>();
  for (const { path } of [...sources, ...programs])
    files.set(posix.dirname(path), (files.get(posix.dirname(path)) ?? 0) + 1);
  for (const [folder, count] of files) if (count > LIMITS.files) t.fail(`${folder} has ${count} files`);
  for (const folder of LARGE_FOLDERS) {
    const children = readdirSync(join(ROOT, folder));
    t.ok(children.length <= LIMITS.children, `${folder} has ${children.length} children`);
  }
});

t.test('what CDK is loaded by, and what it is not, is told from imports of imports', async (t) => {
  for (const path of ['infra/app.ts', 'infra/auth/auth-stack.ts', 'infra/deployment-stack.ts'])
    t.ok(loadsCdk(path), path);
  for (const path of ['infra/outputs.ts', 'infra/profile/profile.ts', 'infra/cost.ts'])
    t.notOk(loadsCdk(path), path);
});

t.test('every relative import is a file that exists, with its extension', async (t) => {
  for (const { from, target, kind } of imports) {
    if (kind === 'file' && !existsSync(join(ROOT, target))) t.fail(`${from} imports ${target}`);
  }
  t.pass();
});

t.test('protocol imports no package', async (t) => {
  t.same(
    imports.filter(
      ({ from, kind }) => folderOf(from) === 'protocol' && kind !== 'builtin' && kind !== 'file',
    ),
    [],
  );
});

t.test('nothing is imported under a computed name', async (t) => {
  t.same(
    imports.filter(({ kind }) => kind === 'computed'),
    [],
  );
});

t.test('Node\u2019s own modules are imported with node:', async (t) => {
  t.same(
    imports.filter(({ specifier, kind }) => kind === 'builtin' && !specifier.startsWith('node:')),
    [],
  );
});

t.test('one file knows each foreign library', async (t) => {
  for (const [library, owners] of Object.entries(OWNERS)) {
    const users = new Set(imports.filter(({ target }) => target === library).map(({ from }) => from));
    for (const user of users) t.ok(owners.includes(user), `${library} in ${user}`);
    for (const owner of owners) t.ok(users.has(owner), `${owner} still uses ${library}`);
  }
  for (const [library, folder] of Object.entries(FOLDER_LIBRARIES)) {
    for (const { from, target } of imports)
      if (target === library && folderOf(from) !== folder) t.fail(`${from} imports ${library}`);
  }
});

t.test('every package in use has its place here', async (t) => {
  const known = new Set([...Object.keys(OWNERS), ...Object.keys(FOLDER_LIBRARIES)]);
  const used = new Set(imports.filter(({ kind }) => kind === 'package').map(({ target }) => target));
  t.same(
    [...used].filter((name) => !known.has(name)),
    [],
  );
});

t.test('edges are touched only by the files that own them', async (t) => {
  const found = sources.map(({ path, tree }) => ({ path, edges: new Set(edgesIn(tree)) }));
  for (const [edge, owners] of Object.entries(EDGES)) {
    for (const { path, edges } of found)
      if (edges.has(edge)) t.ok(Object.hasOwn(owners, path), `${edge} in ${path}`);
    for (const owner of Object.keys(owners)) {
      const uses = found.some(({ path, edges }) => path === owner && edges.has(edge));
      t.ok(uses, `${owner} still uses ${edge}`);
    }
  }
});

t.test('every source file has a test of the same name, or a reason', async (t) => {
  for (const folder of MIRRORED) {
    for (const path of filesIn(folder)) {
      const tested = existsSync(join(ROOT, 'test', path.replace(/\.ts$/, '.test.ts')));
      if (Object.hasOwn(WITHOUT_TEST, path)) t.notOk(tested, `${path} needs no reason any more`);
      else t.ok(tested, `${path} has its test`);
    }
  }
});

const tests = filesIn('test').filter((path) => path.endsWith('.test.ts'));

t.test('every test of a mirrored folder has a source file of the same name', async (t) => {
  for (const test of tests.filter((path) => MIRRORED.some((folder) => path.startsWith(`test/${folder}/`)))) {
    const source = test.replace(/^test\//, '').replace(/\.test\.ts$/, '.ts');
    t.ok(existsSync(join(ROOT, source)), test);
  }
});

t.test('a test of a program stands in the folder that it tests', async (t) => {
  for (const test of tests) {
    const [, folder = ''] = /^test\/((?:shim|admin|infra|sandbox|tools)\/.*)\/[^/]+$/.exec(test) ?? [];
    if (folder !== '') t.ok(existsSync(join(ROOT, folder)), test);
  }
});

type Manifest = {
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
const declared = { ...manifest.devDependencies, ...manifest.dependencies };

t.test('the programs and the package have one version', async (t) => {
  t.equal(BUILD_VERSION, manifest.version);
});

t.test('every package of the card and every one in use is declared', async (t) => {
  for (const name of CARD) t.ok(Object.hasOwn(declared, name), name);
  for (const { from, target, kind } of imports)
    if (kind === 'package' && !Object.hasOwn(declared, target)) t.fail(`${target}, imported by ${from}`);
});

t.test('every version is exact', async (t) => {
  for (const [name, version] of Object.entries(declared))
    t.match(version, /^(npm:@?[\w/-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/, `${name} ${version}`);
});

/** Whether a file loads a library that belongs to one folder, itself or through what it imports. */
function loadsCdk(path: string, seen = new Set<string>()): boolean {
  if (seen.has(path)) return false;
  seen.add(path);
  return imports.some(
    ({ from, target, kind }) =>
      from === path &&
      (kind === 'package'
        ? Object.hasOwn(FOLDER_LIBRARIES, target)
        : kind === 'file' && loadsCdk(target, seen)),
  );
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? '';
}
