/**
 * Compiles everything to build/js and assembles build/app, laid out as an installation is:
 * shims, the bundled daemon with its native libraries, service files. Needs Node and npm alone.
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
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const js = join(root, 'build/js');
/** Assembled under another name, so that what runs meanwhile never sees half a build. */
const finished = join(root, 'build/app');
const app = join(root, 'build/app.new');
/** What the last build was made of: the same again needs no build. */
const stamp = join(root, 'build/stamp');
const SOURCES = ['protocol', 'daemon', 'shim', 'admin', 'infra', 'test', 'service-files', 'scripts'];
const MANIFESTS = ['package.json', 'package-lock.json', 'tsconfig.json'];

/** Native libraries that a bundle cannot hold: shipped as packages beside it. */
const NATIVE = ['keytar', 'koffi'];

const state = stateOfSources();
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) process.exit(0);
rmSync(stamp, { force: true });
compile();
rmSync(app, { recursive: true, force: true });
await bundle('daemon/main.js', 'daemon/index.js');
await bundle('daemon/keyring-child.js', 'daemon/keyring-child.js');
for (const shim of ['credential-process', 'otel-helper', 'bedrock-auth']) {
  await bundle(`shim/${shim}.js`, `shim/${shim}.js`);
}
copyNativeLibraries();
copyLaunchers();
cpSync(join(root, 'service-files'), join(app, 'service-files'), { recursive: true });
rmSync(finished, { recursive: true, force: true });
renameSync(app, finished);
writeFileSync(stamp, state);

function stateOfSources() {
  const files = SOURCES.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  );
  return [process.version, ...MANIFESTS, ...files]
    .map((path) => {
      const stat = statSync(join(root, path), { throwIfNoEntry: false });
      return `${path} ${stat?.isFile() ? `${stat.size} ${stat.mtimeMs}` : ''}`;
    })
    .join('\n');
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

/** @param {string} entry @param {string} output */
async function bundle(entry, output) {
  const ncc = require('@vercel/ncc');
  const { code, assets } = await ncc(join(js, entry), {
    cache: false,
    quiet: true,
    sourceMap: false,
    externals: NATIVE,
    // Readable on purpose: those who must trust it will read it.
    minify: false,
  });
  const path = join(app, output);
  // What is loaded only when it is needed comes in files of their own, which the program names by number;
  // another program's would have the same names.
  const own = `${basename(output, '.js')}.part.js`;
  write(path, oneByteText(code).replaceAll('".index.js"', `".${own}"`));
  for (const [name, { source }] of Object.entries(assets)) {
    if (name === 'package.json') continue;
    const part = /^(\d+)\.index\.js$/.exec(name)?.[1];
    const text = part === undefined ? source : oneByteText(String(source));
    write(join(dirname(path), part === undefined ? name : `${part}.${own}`), text);
  }
  write(join(dirname(path), 'package.json'), '{ "type": "module" }\n');
}

/**
 * Keeps characters beyond Latin-1 as escapes: a single one of them would make the engine hold the whole
 * program in memory with two bytes for each character.
 * @param {string} code
 */
function oneByteText(code) {
  return code.replace(/[\u0100-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** keytar and koffi with the binaries of this platform; a package for another platform brings its own. */
function copyNativeLibraries() {
  const modules = join(app, 'daemon/node_modules');
  const platform = `${process.platform}-${process.arch}`;

  copyPackage('keytar', ['package.json', 'LICENSE.md', 'lib', `prebuilds/${platform}`]);
  copyPackage('koffi', [
    'package.json',
    'LICENSE.txt',
    'index.js',
    'index.cjs',
    'src/koffi/index.js',
    'src/koffi/index.cjs',
    'src/koffi/src/static.js',
    'src/koffi/src/static.cjs',
  ]);
  const binary = `@koromix/koffi-${platform}`;
  if (existsSync(join(root, 'node_modules', binary))) copyPackage(binary, ['.']);

  /** @param {string} name @param {string[]} parts */
  function copyPackage(name, parts) {
    for (const part of parts) {
      const from = join(root, 'node_modules', name, part);
      if (existsSync(from)) cpSync(from, join(modules, name, part), { recursive: true });
    }
  }
}

/** The sh programs, installed without their ending, and what they share, which only they read. */
function copyLaunchers() {
  for (const file of readdirSync(join(root, 'shim')).filter((name) => name.endsWith('.sh'))) {
    const shared = file === 'launch.sh';
    const path = join(app, shared ? 'shim/launch.sh' : file.replace(/\.sh$/, ''));
    write(path, readFileSync(join(root, 'shim', file)));
    chmodSync(path, shared ? 0o644 : 0o755);
  }
}

/** @param {string} path @param {string | Uint8Array} content */
function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
