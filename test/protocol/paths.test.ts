import { chownSync, mkdirSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CcwbError } from '../../protocol/errors.ts';
import {
  INSTALL_FOLDER,
  type PathSource,
  resolvePaths,
  SOCKET_PATH_MAX_BYTES,
  socketDirectory,
  thisProcess,
} from '../../protocol/paths.ts';

function on(
  platform: NodeJS.Platform,
  env: Record<string, string | undefined>,
  own: string[] = [],
): PathSource {
  return { platform, env, home: '/home/ada', uid: 1000, isOwnDirectory: (path) => own.includes(path) };
}

const HOME = '/home/ada/claude-code-with-bedrock';

function problemOf(source: PathSource): CcwbError {
  try {
    resolvePaths(source);
  } catch (error) {
    if (error instanceof CcwbError) return error;
    throw error;
  }
  throw new Error('accepted');
}

t.test('on Linux the socket is under XDG_RUNTIME_DIR', async (t) => {
  t.same(resolvePaths(on('linux', { XDG_RUNTIME_DIR: '/run/user/1000' })), {
    installDirectory: HOME,
    config: `${HOME}/config.json`,
    networkSettings: `${HOME}/network.json`,
    socket: '/run/user/1000/claude-code-with-bedrock/daemon.sock',
    runtimeDirectory: '/run/user/1000/claude-code-with-bedrock',
    containerToken: '/run/user/1000/claude-code-with-bedrock/container-authorization-token',
    log: `${HOME}/logs/daemon.log`,
    audit: `${HOME}/logs/audit.jsonl`,
  });
});

t.test('a program without XDG_RUNTIME_DIR finds the same socket', async (t) => {
  const usual = ['/run/user/1000'];
  const declared = resolvePaths(on('linux', { XDG_RUNTIME_DIR: '/run/user/1000' })).socket;
  for (const env of [
    {},
    { XDG_RUNTIME_DIR: '' },
    { XDG_RUNTIME_DIR: 'run/user/1000' },
    { XDG_RUNTIME_DIR: './x' },
  ])
    t.equal(resolvePaths(on('linux', env, usual)).socket, declared, JSON.stringify(env));
});

t.test('a /run/user directory of somebody else does not count', async (t) => {
  for (const own of [[], ['/run/user/1001'], ['/run/user']]) {
    const paths = resolvePaths(on('linux', {}, own));
    t.equal(paths.socket, `${HOME}/run/daemon.sock`);
    t.equal(paths.runtimeDirectory, `${HOME}/run`);
  }
});

t.test('elsewhere the socket is under the home directory, with XDG variables ignored', async (t) => {
  for (const platform of ['darwin', 'freebsd'] as const) {
    const paths = resolvePaths(on(platform, { XDG_RUNTIME_DIR: '/run/user/1000' }, ['/run/user/1000']));
    t.equal(paths.socket, `${HOME}/run/daemon.sock`, platform);
  }
});

t.test('CCWB_SOCKET and CCWB_CONFIG override the default paths', async (t) => {
  const env = {
    CCWB_SOCKET: '/tmp/x.sock',
    CCWB_CONFIG: '/etc/ccwb.json',
    XDG_RUNTIME_DIR: '/run/user/1000',
  };
  for (const platform of ['linux', 'darwin'] as const) {
    const paths = resolvePaths(on(platform, env));
    t.equal(paths.socket, '/tmp/x.sock');
    t.equal(paths.config, '/etc/ccwb.json');
    t.not(paths.runtimeDirectory, '/tmp', 'session files stay where they were');
  }
  const empty = resolvePaths(on('darwin', { CCWB_SOCKET: '', CCWB_CONFIG: '' }));
  t.equal(empty.socket, `${HOME}/run/daemon.sock`, 'empty is absent');
  t.equal(empty.config, `${HOME}/config.json`);
});

t.test('a path of 103 bytes is accepted, one of 104 is refused', async (t) => {
  t.equal(SOCKET_PATH_MAX_BYTES, 103);
  const ofBytes = (bytes: number) => `/${'s'.repeat(bytes - 1)}`;
  t.equal(resolvePaths(on('linux', { CCWB_SOCKET: ofBytes(103) })).socket.length, 103);
  const error = problemOf(on('linux', { CCWB_SOCKET: ofBytes(104) }));
  t.match(error, {
    code: 'ERR_SOCKET_PATH',
    message: /is 104 bytes long; .*at most 103 bytes/,
    fix: /CCWB_SOCKET/,
  });
});

t.test('bytes count, not characters', async (t) => {
  const path = `/${'ü'.repeat(51)}`;
  t.equal(path.length, 52);
  t.equal(resolvePaths(on('linux', { CCWB_SOCKET: path })).socket, path, '103 bytes');
  t.match(problemOf(on('linux', { CCWB_SOCKET: `${path}x` })), { message: /104 bytes/ });
  t.match(problemOf(on('linux', { CCWB_SOCKET: `/${'😀'.repeat(26)}` })), { message: /105 bytes/ });
});

t.test('the error of a home directory too deep for a socket has a fix', async (t) => {
  const deep = { ...on('darwin', {}), home: `/home/${'d'.repeat(100)}` };
  t.match(problemOf(deep), { code: 'ERR_SOCKET_PATH', fix: /CCWB_SOCKET to a short absolute path/ });
  t.equal(resolvePaths({ ...deep, env: { CCWB_SOCKET: '/tmp/s' } }).socket, '/tmp/s');
});

t.test('a relative socket path is refused', async (t) => {
  for (const path of ['daemon.sock', './daemon.sock', '~/daemon.sock'])
    t.match(problemOf(on('linux', { CCWB_SOCKET: path })), {
      code: 'ERR_SOCKET_PATH',
      message: /is not absolute/,
    });
});

t.test('the running process is a source of paths', async (t) => {
  const source = thisProcess();
  t.equal(source.platform, process.platform);
  t.equal(source.home, homedir());
  t.equal(source.uid, process.getuid?.());
  const directory = t.testdir({ file: '' });
  mkdirSync(join(directory, 'real'));
  symlinkSync(join(directory, 'real'), join(directory, 'link'));
  t.equal(source.isOwnDirectory(join(directory, 'real')), true);
  t.equal(source.isOwnDirectory(join(directory, 'link')), false, 'a symbolic link');
  t.equal(source.isOwnDirectory(join(directory, 'file')), false, 'a file');
  t.equal(source.isOwnDirectory(join(directory, 'none')), false, 'nothing');
});

t.test('isOwnDirectory rejects a directory of another user', async (t) => {
  const directory = t.testdir({});
  const skip = process.getuid?.() === 0 ? false : 'only root can give a directory to another user';
  await t.test('even when it is well made', { skip }, async (t) => {
    chownSync(directory, 65_534, 65_534);
    t.equal(thisProcess().isOwnDirectory(directory), false);
  });
});

t.test('the folders of the installation and of the socket have these names', async (t) => {
  t.equal(INSTALL_FOLDER, 'claude-code-with-bedrock');
  t.equal(
    socketDirectory('/run/user/1000/claude-code-with-bedrock/daemon.sock'),
    '/run/user/1000/claude-code-with-bedrock',
  );
});
