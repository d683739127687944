/** The facts about this machine that decide the way to sign in. A value, so that tests can replace it. */
export type HostEnvironment = {
  platform: NodeJS.Platform;
  env: Readonly<Record<string, string | undefined>>;
  /** Returns the text of a file; undefined if it cannot be read. */
  readText(path: string): string | undefined;
};

/** The kind of host this program runs on, which decides whether the user can see a browser page. */
export type HostKind = 'desktop' | 'ssh' | 'wsl' | 'container';

/** Files that container engines put into every container: Docker, Podman. */
const CONTAINER_FILES = ['/.dockerenv', '/run/.containerenv'];

/** Names in the cgroup of process 1, for container engines that leave no such file. */
const CONTAINER_CGROUP = /docker|kubepods|containerd|libpod|lxc/;

/** Files that exist in WSL if Windows programs can be run from it. */
const WSL_INTEROP = ['/proc/sys/fs/binfmt_misc/WSLInterop', '/proc/sys/fs/binfmt_misc/WSLInterop-late'];

/**
 * Returns the kind of this host. SSH is checked first: its user sits at another machine, whether this one is a
 * container or not.
 */
export function hostKindOf(machine: HostEnvironment): HostKind {
  const { env, platform, readText } = machine;
  if (env.SSH_CONNECTION || env.SSH_TTY || env.SSH_CLIENT) return 'ssh';
  if (platform !== 'linux') return 'desktop';
  if (env.WSL_DISTRO_NAME) return 'wsl';
  const contained =
    Boolean(env.container || env.KUBERNETES_SERVICE_HOST) ||
    CONTAINER_FILES.some((path) => readText(path) !== undefined) ||
    CONTAINER_CGROUP.test(readText('/proc/1/cgroup') ?? '');
  return contained ? 'container' : 'desktop';
}

/** True if the programs of Windows can be run, its browser among them. */
export function canRunWindowsPrograms(machine: HostEnvironment): boolean {
  return hostKindOf(machine) === 'wsl' && WSL_INTEROP.some((path) => machine.readText(path) !== undefined);
}

/**
 * True if there is a display that the user sees. Over SSH only a forwarded display counts, which has a host
 * in its name (`localhost:10.0`): the browser then runs here, where the redirect arrives. `:0` would be a
 * screen that the user may not see.
 */
export function hasDisplay(machine: HostEnvironment): boolean {
  const { env } = machine;
  if (hostKindOf(machine) !== 'ssh') return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
  return /^[^:/]+:\d/.test(env.DISPLAY ?? '') && !env.DISPLAY?.startsWith('unix:');
}
