import { cpSync, existsSync, readFileSync } from 'node:fs';
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
const koffiBinary = (platform) => `@koromix/koffi-${platform}`;

/**
 * keytar and koffi with the binaries of one platform. keytar brings those of all; koffi's are packages of their
 * own, which npm installs on their platform alone.
 *
 * @param {string} root the project's folder
 * @param {string} modules the node_modules to fill
 * @param {string} platform
 */
export function copyNativeLibraries(root, modules, platform) {
  copyPackage('keytar', ['package.json', 'LICENSE.md', 'lib', `prebuilds/${platform}`]);
  copyPackage('koffi', KOFFI);
  copyPackage(koffiBinary(platform), ['.']);

  /** @param {string} name @param {string[]} parts */
  function copyPackage(name, parts) {
    for (const part of parts) {
      const from = join(root, 'node_modules', name, part);
      if (existsSync(from)) cpSync(from, join(modules, name, part), { recursive: true });
    }
  }
}

/**
 * The packages that are to be fetched for other platforms than this one, as package-lock.json has them.
 *
 * @param {string} root
 * @param {readonly string[]} platforms
 */
export function pinnedPackages(root, platforms) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.fromEntries(
    platforms.map(koffiBinary).map((name) => {
      const { version, integrity } = packages[`node_modules/${name}`];
      return [name, { version, integrity }];
    }),
  );
}
