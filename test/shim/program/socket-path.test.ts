import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { resolvePaths } from '../../../protocol/paths.ts';
import { installation, run } from '../fixtures/installation.ts';
import { SHELLS, sharedPart } from '../fixtures/shells.ts';

// Many processes one after the other, on a machine that may have other things to do.
t.setTimeout(120_000);

type Case = {
  env: Record<string, string>;
  /** What is at /run/user/UID. */
  usual: 'own' | 'missing' | 'link' | 'file';
  platform: 'linux' | 'darwin';
};

const values = {
  CCWB_SOCKET: [undefined, '', '/tmp/own.sock', 'relative.sock'],
  XDG_RUNTIME_DIR: [undefined, '', '/run/xdg', '/run/with space', 'relative'],
  HOME: ['/home/jane', "/home/it's höme", undefined],
};

const cases: Case[] = [];
for (const platform of ['linux', 'darwin'] as const) {
  for (const usual of ['own', 'missing', 'link', 'file'] as const) {
    for (const socket of values.CCWB_SOCKET) {
      for (const runtime of values.XDG_RUNTIME_DIR) {
        for (const home of values.HOME) {
          const env = { CCWB_SOCKET: socket, XDG_RUNTIME_DIR: runtime, HOME: home };
          const set = Object.entries(env).filter(
            (entry): entry is [string, string] => entry[1] !== undefined,
          );
          cases.push({ env: Object.fromEntries(set), usual, platform });
        }
      }
    }
  }
}

/** The socket of protocol/paths.ts; empty where the shell file leaves it to the TypeScript shim. */
function expected({ env, usual, platform }: Case): string {
  try {
    return resolvePaths({
      platform,
      env,
      home: env.HOME ?? '',
      uid: process.getuid?.() ?? 0,
      isOwnDirectory: () => usual === 'own',
    }).socket;
  } catch {
    return '';
  }
}

for (const { name, shell, missing } of SHELLS) {
  t.test(
    `${name}: the shell files find the socket where protocol/paths.ts puts it`,
    { skip: missing },
    async (t) => {
      const { home, remove } = installation();
      t.teardown(remove);
      const uid = process.getuid?.() ?? 0;
      const status = join(home, 'status');
      writeFileSync(status, `Name:\tsh\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nGid:\t0\n`);
      for (const usual of ['own', 'missing', 'link', 'file'] as const) {
        const folder = join(home, usual);
        mkdirSync(folder);
        const path = join(folder, String(uid));
        if (usual === 'own') mkdirSync(path);
        if (usual === 'file') writeFileSync(path, '');
        if (usual === 'link') symlinkSync(home, path);
      }
      for (const wanted of cases) {
        const script = sharedPart('credential-process', 'ask')
          .replaceAll('/proc/self/status', wanted.platform === 'linux' ? `${status}` : '/nonexistent')
          .replaceAll('/run/user/', `${join(home, wanted.usual)}/`);
        const file = join(home, 'script');
        writeFileSync(file, `set -u\n${script}\nfind_socket\nprintf %s "$socket"\n`);
        chmodSync(file, 0o700);
        const { stdout, stderr } = await run([...shell, file], {
          env: { PATH: '/nonexistent', ...wanted.env },
        });
        const socket = stdout.replace(join(home, wanted.usual), '/run/user');
        if (stderr !== '' || socket !== expected(wanted)) {
          t.equal(socket, expected(wanted), JSON.stringify(wanted));
          t.equal(stderr, '');
        }
      }
      t.pass(`${cases.length} environments`);
    },
  );
}
