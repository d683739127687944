/** Components of the programs that users receive, for the software bill of materials, and their licences. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { koffiBinary, NATIVE } from './native-libraries.js';

/**
 * `name` as the registry has it, `integrity` of its tarball there, `dependencies` as NAME@VERSION: those of them
 * that are components too.
 *
 * @typedef {{ name: string, version: string, license: string, integrity: string, dependencies: string[] }} Component
 */

/**
 * Reads the components from node_modules and package-lock.json. `bundled` are in the bundles, `native` beside
 * them. `fetched` must be fetched for each platform, since npm installs them only there. `licenses`: those of all.
 *
 * @param {string} root the project's folder
 * @param {readonly string[]} bundled what {@link packagesOf} returned
 * @param {readonly string[]} platforms such as linux-x64
 */
export function componentsOf(root, bundled, platforms) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const native = NATIVE.map((name) => `node_modules/${name}`);
  const known = new Set([...bundled, ...native]);
  const describe = (/** @type {string} */ path) => component(root, path, lock, known);
  return {
    components: {
      bundled: bundled.map(describe),
      native: native.map(describe),
      fetched: Object.fromEntries(
        platforms.map((platform) => [platform, describe(`node_modules/${koffiBinary(platform)}`)]),
      ),
    },
    licenses: licenseTexts(root, [...known].sort(), describe),
  };
}

/**
 * The packages that files belong to, as package-lock.json calls them, sorted.
 *
 * @param {string} root @param {Iterable<string>} files
 */
export function packagesOf(root, files) {
  const found = new Set();
  for (const file of files) {
    const path = relative(root, file).split(sep).join('/');
    const [, folder] = /^(.*\bnode_modules\/(?:@[^/]+\/)?[^@/]+)\/.+/.exec(path) ?? [];
    // The bundler reads the manifest also of what it then does not take.
    if (folder && !path.endsWith('/package.json')) found.add(folder);
  }
  return [...found].sort();
}

/**
 * @param {string} root @param {string} path
 * @param {Record<string, { name?: string, version: string, integrity: string, license?: string }>} lock
 * @param {ReadonlySet<string>} known
 * @returns {Component}
 */
function component(root, path, lock, known) {
  const locked = lock[path];
  if (!locked) throw new Error(`package-lock.json has no ${path}`);
  const manifest = existsSync(join(root, path, 'package.json'))
    ? JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'))
    : locked;
  const nameOf = (/** @type {string} */ at) => lock[at]?.name ?? at.replace(/^.*node_modules\//, '');
  const dependencies = Object.keys(manifest.dependencies ?? {})
    .flatMap((name) => resolved(path, name, known) ?? [])
    .map((at) => `${nameOf(at)}@${lock[at]?.version}`);
  return {
    name: nameOf(path),
    version: locked.version,
    license: manifest.license ?? locked.license,
    integrity: locked.integrity,
    dependencies: dependencies.sort(),
  };
}

/**
 * Returns the path at which a package finds another by name, if that path is known.
 *
 * @param {string} path @param {string} name @param {ReadonlySet<string>} known
 */
function resolved(path, name, known) {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/node_modules/'))) {
    if (known.has(`${at}/node_modules/${name}`)) return `${at}/node_modules/${name}`;
    if (!at.includes('/node_modules/')) break;
  }
  const top = `node_modules/${name}`;
  return known.has(top) ? top : undefined;
}

/** @param {string} root @param {string[]} paths @param {(path: string) => Component} describe */
function licenseTexts(root, paths, describe) {
  const texts = paths.map((path) => {
    const { name, version, license } = describe(path);
    const files = readdirSync(join(root, path)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
    const text = files.sort().map((file) => readFileSync(join(root, path, file), 'utf8').trim());
    return [`${name} ${version} (${license})`, ...text].join('\n\n');
  });
  return `${texts.join(`\n\n${'-'.repeat(78)}\n\n`)}\n`;
}
