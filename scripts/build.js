/**
 * Compiles everything to build/js and assembles build/app, laid out as an installation is: shims, the bundled
 * daemon with its native libraries, service files; and build/payload, from which `ccwb package` makes packages.
 * With --ccwb also build/ccwb: that program in one folder, which needs nothing but Node. With --js build/js alone.
 * Needs Node and npm alone. Each step that is not up to date is named on stderr.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.js';
import { componentsOf, packagesOf } from './components.js';
import { copyNativeLibraries, copyOwnBinaries, NATIVE } from './native-libraries.js';
import { products } from './products.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const build = join(root, 'build');
const js = join(build, 'js');
/** Assembled under another name: programs that run meanwhile never see half a build. */
const app = join(build, 'app.new');
/** The packages in the bundles of app, written by their step for that of the payload. */
const bundled = join(build, 'bundled.json');
/** The platforms that users get packages for. */
const PLATFORMS = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'];

const OF_ALL = ['scripts', 'package.json', 'package-lock.json', 'tsconfig.json', 'LICENSE'];
const OF_APP = ['protocol', 'common', 'network', 'daemon', 'shim', 'service-files', ...OF_ALL];
const OF_CCWB = ['protocol', 'common', 'network', 'admin', 'infra', ...OF_ALL];

const { make, discard } = products(root);
/** @type {[text: string, name: string, sources: readonly string[], action: () => void | Promise<void>][]} */
const steps = [
  ['compiling', 'js', [...new Set([...OF_APP, ...OF_CCWB, 'sandbox', 'tools', 'test'])], compile],
];
if (!process.argv.includes('--js')) {
  steps.push(['bundling the programs', 'app', OF_APP, assembleApp]);
  steps.push(['assembling the files of packages', 'payload', OF_APP, assemblePayload]);
}
// CDK takes longer than the rest together: only on request. A bundle that is out of date is removed.
if (process.argv.includes('--ccwb')) {
  steps.push(['bundling ccwb', 'ccwb', OF_CCWB, bundleCcwb]);
  steps.push(['copying them into ccwb', 'ccwb/payload', OF_APP, copyPayload]);
} else discard('ccwb', OF_CCWB);
for (const [index, [text, name, sources, action]] of steps.entries()) {
  await make(name, sources, () => {
    process.stderr.write(`${text} (${index + 1}/${steps.length}) \u2026\n`);
    return action();
  });
}

async function assembleApp() {
  rmSync(app, { recursive: true, force: true });
  const files = [
    await bundle(join(js, 'daemon/main.js'), join(app, 'daemon/index.js'), NATIVE),
    await bundle(join(js, 'daemon/keyring-child.js'), join(app, 'daemon/keyring-child.js'), NATIVE),
  ];
  for (const shim of ['credential-process', 'otel-helper', 'bedrock-auth']) {
    files.push(await bundle(join(js, `shim/${shim}.js`), join(app, `shim/${shim}.js`), NATIVE));
  }
  files.push(await bundle(join(js, 'shim/install/install.js'), join(app, 'shim/install.js'), NATIVE));
  const packages = packagesOf(
    root,
    files.flatMap((some) => [...some]),
  );
  writeFileSync(bundled, JSON.stringify(packages));
  const modules = join(app, 'daemon/node_modules');
  copyNativeLibraries(root, modules, `${process.platform}-${process.arch}`);
  copyOwnBinaries(root, modules);
  copyLaunchers();
  cpSync(join(root, 'service-files'), join(app, 'service-files'), { recursive: true });
  replace(join(build, 'app'), app);
}

/**
 * `app/`: what is the same on every platform. `native/PLATFORM/`: what `daemon/node_modules` has there, but for
 * what has to be fetched. `components.json` and `licenses.txt`: what all of it is made of. `LICENSE`.
 */
function assemblePayload() {
  const payload = join(build, 'payload.new');
  rmSync(payload, { recursive: true, force: true });
  const installed = join(build, 'app');
  const native = join(installed, 'daemon/node_modules');
  cpSync(installed, join(payload, 'app'), { recursive: true, filter: (path) => path !== native });
  for (const platform of PLATFORMS) copyNativeLibraries(root, join(payload, 'native', platform), platform);
  const { components, licenses } = componentsOf(root, JSON.parse(readFileSync(bundled, 'utf8')), PLATFORMS);
  write(join(payload, 'components.json'), `${JSON.stringify(components, undefined, 2)}\n`);
  write(join(payload, 'licenses.txt'), licenses);
  cpSync(join(root, 'LICENSE'), join(payload, 'LICENSE'));
  replace(join(build, 'payload'), payload);
}

async function bundleCcwb() {
  const ccwb = join(build, 'ccwb.new');
  rmSync(ccwb, { recursive: true, force: true });
  // 9 MB with which CDK could check templates at run time; the project's tests have checked them.
  await bundle(join(js, 'admin/ccwb.js'), join(ccwb, 'ccwb.js'), ['@aws/cloudformation-validate']);
  chmodSync(join(ccwb, 'ccwb.js'), 0o755);
  symlinkSync('ccwb.js', join(ccwb, 'ccwb'));
  cpSync(join(root, 'LICENSE'), join(ccwb, 'LICENSE'));
  replace(join(build, 'ccwb'), ccwb);
}

function copyPayload() {
  cpSync(join(build, 'payload'), join(build, 'ccwb/payload'), { recursive: true });
}

function compile() {
  const typescript = require.resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [typescript, '-p', root], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  removeStaleOutput();
}

/** tsc leaves the output of sources that are gone; tests of files that are gone must not run. */
function removeStaleOutput() {
  for (const path of readdirSync(js, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.js') && !existsSync(join(root, path.replace(/\.js$/, '.ts')))) {
      rmSync(join(js, path));
      rmSync(join(js, `${path}.map`), { force: true });
    }
  }
}

/** The sh programs, installed without their ending; the installer has it, as people expect. */
function copyLaunchers() {
  for (const file of readdirSync(join(root, 'shim/launchers'))) {
    const path = join(app, file === 'install.sh' ? file : file.replace(/\.sh$/, ''));
    write(path, readFileSync(join(root, 'shim/launchers', file)));
    chmodSync(path, 0o755);
  }
}

/** @param {string} path @param {string | Uint8Array} content */
function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** @param {string} finished @param {string} assembled */
function replace(finished, assembled) {
  rmSync(finished, { recursive: true, force: true });
  renameSync(assembled, finished);
}
