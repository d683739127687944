/**
 * Version of the API on the socket. The daemon serves the current one and the one before, so that shims
 * and daemon can be upgraded in either order.
 */
export const PROTOCOL_VERSION = 1;

/** Build version of every program; equals package.json's (a test compares them). */
export const BUILD_VERSION = '0.1.0';

/**
 * Header with `PROTOCOL/BUILD`, e.g. `1/0.1.0`: on every reply of the daemon, and on every request of a
 * program of ours but the `sh` ones, which ask for nothing that may change its shape.
 */
export const VERSION_HEADER = 'ccwb-version';

/** `build`: by the rules of Semantic Versioning 2.0.0. */
export type Version = { protocol: number; build: string };

export const THIS_VERSION: Version = { protocol: PROTOCOL_VERSION, build: BUILD_VERSION };

/** Returns the value of the header for a version. */
export function versionText({ protocol, build }: Version): string {
  return `${protocol}/${build}`;
}

/** Returns the version in a header; undefined if it is missing or malformed. */
export function parseVersion(text: unknown): Version | undefined {
  const match = typeof text === 'string' ? /^(\d{1,9})\/([\w.+-]{1,64})$/.exec(text) : null;
  return match ? { protocol: Number(match[1]), build: match[2] ?? '' } : undefined;
}

/** Returns true if a daemon with protocol `current` understands a program with protocol `asked`. */
export function serves(current: number, asked: number): boolean {
  return asked === current || asked === current - 1;
}

/**
 * Returns true if this program's build replaces the daemon: the build is later and its protocol not older.
 * Builds of the same version, such as two of a developer, do not replace each other.
 */
export function isOlder(daemon: Version, own: Version = THIS_VERSION): boolean {
  return own.protocol >= daemon.protocol && compareBuilds(daemon.build, own.build) < 0;
}

/**
 * Compares the precedence of two builds (Semantic Versioning 2.0.0, 11). Negative if `a` is earlier; 0 if
 * they are equal or one of them is no such version.
 */
export function compareBuilds(a: string, b: string): number {
  const left = SEMVER.exec(a);
  const right = SEMVER.exec(b);
  if (!left || !right) return 0;
  for (const part of [1, 2, 3]) {
    const difference = Number(left[part]) - Number(right[part]);
    if (difference !== 0) return difference;
  }
  return comparePreReleases(left[4], right[4]);
}

const SEMVER = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/;

/** A release comes after its pre-releases; numbers before words; the longer of two that begin alike last. */
function comparePreReleases(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  const left = a.split('.');
  const right = b.split('.');
  for (const [index, one] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    if (one === other) continue;
    const numbers = [one, other].map((text) => /^\d+$/.test(text));
    if (numbers[0] && numbers[1]) return Number(one) - Number(other);
    if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return left.length - right.length;
}
