import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';

/** Native libraries that a bundle cannot hold: shipped as packages beside it. */
export const NATIVE = ['keytar', 'koffi'];

const KOFFI = [
  'package.json',
  'LICENSE.txt',
  'index.js',
  'index.cjs',
  'src/koffi/index.js',
  'src/koffi/index.cjs',
  'src/koffi/src/static.js',
  'src/koffi/src/static.cjs',
];

/** @param {string} platform such as linux-x64 */
export const koffiBinary = (platform) => `@koromix/koffi-${platform}`;

/**
 * keytar with its binary for one platform, and koffi, whose binaries are packages of their own: npm installs them
 * on their platform alone.
 *
 * @param {string} root the project's folder
 * @param {string} modules the node_modules to fill
 * @param {string} platform
 */
export function copyNativeLibraries(root, modules, platform) {
  copyPackage(root, modules, 'keytar', ['package.json', 'LICENSE.md', 'lib', `prebuilds/${platform}`]);
  copyPackage(root, modules, 'koffi', KOFFI);
}

/** The binaries of koffi for the machine that builds. @param {string} root @param {string} modules */
export function copyOwnBinaries(root, modules) {
  copyPackage(root, modules, koffiBinary(`${process.platform}-${process.arch}`), ['.']);
}

/** @param {string} root @param {string} modules @param {string} name @param {string[]} parts */
function copyPackage(root, modules, name, parts) {
  for (const part of parts) {
    const from = join(root, 'node_modules', name, part);
    if (existsSync(from)) cpSync(from, join(modules, name, part), { recursive: true });
  }
}
