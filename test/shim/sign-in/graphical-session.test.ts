import t from 'tap';
import {
  canRunWindowsPrograms,
  type HostEnvironment,
  hasDisplay,
  hostKindOf,
} from '../../../shim/sign-in/graphical-session.ts';

function machine(
  env: Record<string, string> = {},
  files: Record<string, string> = {},
  platform: NodeJS.Platform = 'linux',
): HostEnvironment {
  return { platform, env, readText: (path) => files[path] };
}

const INTEROP = { '/proc/sys/fs/binfmt_misc/WSLInterop': 'enabled\n' };
const SSH = { SSH_CONNECTION: '192.0.2.1 50000 192.0.2.7 22' };

t.test('the kind of host is recognized', async (t) => {
  const cases: [string, HostEnvironment, string][] = [
    ['a Linux desktop', machine({ DISPLAY: ':0' }), 'desktop'],
    ['a Linux machine without anything', machine(), 'desktop'],
    ['its cgroup', machine({}, { '/proc/1/cgroup': '0::/init.scope\n' }), 'desktop'],
    ['macOS', machine({}, {}, 'darwin'), 'desktop'],
    ['SSH', machine(SSH), 'ssh'],
    ['SSH with a terminal', machine({ SSH_TTY: '/dev/pts/0' }), 'ssh'],
    ['SSH as su leaves it', machine({ SSH_CLIENT: '192.0.2.1 50000 22' }), 'ssh'],
    ['macOS over SSH', machine(SSH, {}, 'darwin'), 'ssh'],
    ['a container with an SSH server', machine(SSH, { '/.dockerenv': '' }), 'ssh'],
    ['WSL', machine({ WSL_DISTRO_NAME: 'Debian' }, INTEROP), 'wsl'],
    ['WSL over SSH', machine({ WSL_DISTRO_NAME: 'Debian', ...SSH }, INTEROP), 'ssh'],
    ['Docker', machine({}, { '/.dockerenv': '' }), 'container'],
    ['Podman', machine({}, { '/run/.containerenv': 'engine="podman"' }), 'container'],
    ['Podman and systemd-nspawn', machine({ container: 'oci' }), 'container'],
    ['Kubernetes', machine({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }), 'container'],
    ['Docker by its cgroup', machine({}, { '/proc/1/cgroup': '12:cpu:/docker/0123\n' }), 'container'],
    ['containerd', machine({}, { '/proc/1/cgroup': '0::/kubepods/besteffort/pod1\n' }), 'container'],
    ['a Mac with such a file', machine({}, { '/.dockerenv': '' }, 'darwin'), 'desktop'],
  ];
  for (const [name, each, place] of cases) t.equal(hostKindOf(each), place, name);
});

t.test('a display is used only if the user sees it', async (t) => {
  const cases: [string, Record<string, string>, boolean][] = [
    ['X11', { DISPLAY: ':0' }, true],
    ['Wayland', { WAYLAND_DISPLAY: 'wayland-0' }, true],
    ['none', {}, false],
    ['empty', { DISPLAY: '' }, false],
    ['SSH without forwarding', SSH, false],
    ['SSH with X11 forwarding', { ...SSH, DISPLAY: 'localhost:10.0' }, true],
    ['SSH with X11 forwarding to a name', { ...SSH, DISPLAY: 'build-7.example.com:12.0' }, true],
    ['SSH and the desk\u2019s X11', { ...SSH, DISPLAY: ':0' }, false],
    ['SSH and the desk\u2019s X11 by its socket', { ...SSH, DISPLAY: 'unix:0' }, false],
    ['SSH and a socket of XQuartz', { ...SSH, DISPLAY: '/private/tmp/launch/org.xquartz:0' }, false],
    ['SSH and the desk\u2019s Wayland', { ...SSH, WAYLAND_DISPLAY: 'wayland-0' }, false],
  ];
  for (const [name, env, seen] of cases) t.equal(hasDisplay(machine(env)), seen, name);
});

t.test('WSL uses the browser of Windows if it can run Windows programs', async (t) => {
  const wsl = { WSL_DISTRO_NAME: 'Debian' };
  t.equal(canRunWindowsPrograms(machine(wsl, INTEROP)), true);
  t.equal(
    canRunWindowsPrograms(machine(wsl, { '/proc/sys/fs/binfmt_misc/WSLInterop-late': 'enabled' })),
    true,
  );
  t.equal(canRunWindowsPrograms(machine(wsl)), false, 'without interop');
  t.equal(canRunWindowsPrograms(machine({ ...wsl, ...SSH }, INTEROP)), false, 'over SSH');
  t.equal(canRunWindowsPrograms(machine({}, INTEROP)), false, 'not WSL');
});
