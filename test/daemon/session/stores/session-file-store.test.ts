import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createSessionFileStore } from '../../../../daemon/session/stores/session-file-store.ts';
import { codeOf, rejection } from '../../../../tools/support/daemon-edges.ts';
import { storedSession } from '../../fixtures/memory-store.ts';
import { shortDirectory } from '../../fixtures/sockets.ts';

const root = process.getuid?.() === 0;
const needsRoot = root ? false : 'only root can make files of another user';
const STRANGER = 65_534;
const KEY = '0123456789abcdef0123456789abcdef';
const WRITE_CHILD = fileURLToPath(new URL('../../fixtures/write-session-child.js', import.meta.url));

function open(t: Parameters<typeof shortDirectory>[0]) {
  const runtime = join(shortDirectory(t), 'run');
  const directory = join(runtime, 'sessions');
  return { runtime, directory, file: join(directory, `${KEY}.json`), store: createSessionFileStore(runtime) };
}

t.test('a session is read back as it was written', async (t) => {
  const { store, runtime } = open(t);
  t.equal(await store.read(KEY), undefined, 'none before');
  const session = storedSession('rt-ünïcode-😀');
  await store.write(KEY, session);
  t.same(await store.read(KEY), session);
  t.same(await createSessionFileStore(runtime).read(KEY), session, 'also for the next daemon');
  t.equal(await store.read('f'.repeat(32)), undefined, 'another key is another session');
  await store.write(KEY, storedSession('rt-2'));
  t.equal((await store.read(KEY))?.refreshToken, 'rt-2');
  await store.remove(KEY);
  t.equal(await store.read(KEY), undefined);
  await store.remove(KEY);
});

t.test('file and directory are accessible to this user only', async (t) => {
  const { store, directory, file } = open(t);
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  await store.write(KEY, storedSession('rt-1'));
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(statSync(directory).mode & 0o777, 0o700);
});

t.test('the description names the directory', async (t) => {
  const { store, directory } = open(t);
  t.equal(store.kind, 'session');
  t.ok(store.description.includes(directory));
});

t.test('no temporary files are left', async (t) => {
  const { store, directory } = open(t);
  for (let write = 0; write < 20; write += 1) await store.write(KEY, storedSession(`rt-${write}`));
  t.same(readdirSync(directory), [`${KEY}.json`]);
});

t.test('concurrent writes leave one complete session', async (t) => {
  const { store, directory } = open(t);
  const writes = Array.from({ length: 20 }, (_, n) =>
    store.write(KEY, storedSession(`rt-${n}-${'x'.repeat(n * 500)}`)).catch((error: unknown) => error),
  );
  await Promise.all(writes);
  t.match((await store.read(KEY))?.refreshToken, /^rt-\d+-x*$/);
  t.same(readdirSync(directory), [`${KEY}.json`]);
});

t.test('a file that others may access is not read', async (t) => {
  const cases: [string, (file: string) => void, skip?: string | false][] = [
    ['readable by a group', (file) => chmodSync(file, 0o640)],
    ['readable by all', (file) => chmodSync(file, 0o604)],
    [
      'a symbolic link',
      (file) => {
        renameSync(file, `${file}.real`);
        symlinkSync(`${file}.real`, file);
      },
    ],
    [
      'a directory',
      (file) => {
        renameSync(file, `${file}.real`);
        mkdirSync(file);
      },
    ],
    ['of another user', (file) => chownSync(file, STRANGER, STRANGER), needsRoot],
  ];
  for (const [name, spoil, skip = false] of cases) {
    await t.test(name, { skip }, async (t) => {
      const { store, file } = open(t);
      await store.write(KEY, storedSession('rt-planted'));
      spoil(file);
      const error = await rejection(store.read(KEY));
      t.match(error, { code: 'ERR_STORE_FAILED', fix: /remove .* sign in again/ });
      t.ok(error instanceof Error && error.message.includes(file), 'the file is named');
    });
  }
});

t.test('a link at the path is replaced, not written through', async (t) => {
  const { store, file, directory } = open(t);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.target`, 'keep me');
  symlinkSync(`${file}.target`, file);
  await store.write(KEY, storedSession('rt-1'));
  t.equal(readFileSync(`${file}.target`, 'utf8'), 'keep me');
  t.equal((await store.read(KEY))?.refreshToken, 'rt-1');
});

t.test('a directory that is a link, or accessible to others, is refused', async (t) => {
  const { store, directory, runtime } = open(t);
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  mkdirSync(`${directory}.elsewhere`, { mode: 0o700 });
  symlinkSync(`${directory}.elsewhere`, directory);
  t.equal(await codeOf(store.write(KEY, storedSession('rt-1'))), 'ERR_STORE_FAILED', 'a link');
});

t.test('a file that cannot be parsed is ignored', async (t) => {
  const { store, file } = open(t);
  await store.write(KEY, storedSession('rt-1'));
  for (const text of ['', '{', 'null', '{"version":2}', '\0\0\0']) {
    writeFileSync(file, text, { mode: 0o600 });
    t.equal(await store.read(KEY), undefined, JSON.stringify(text));
  }
});

t.test('a daemon killed during a write leaves the old session complete', async (t) => {
  const { store, file, directory } = open(t);
  await store.write(KEY, storedSession('rt-1'));
  writeFileSync(`${file}.tmp`, '{"version":1,"refreshTok', {
    mode: 0o600,
  });
  t.equal((await store.read(KEY))?.refreshToken, 'rt-1');
  await store.write(KEY, storedSession('rt-2'));
  t.equal((await store.read(KEY))?.refreshToken, 'rt-2');
  await store.remove(KEY);
  t.same(readdirSync(directory), [], 'and what it left goes with the session');
});

t.test('a store that cannot be written is an error with the path', async (t) => {
  t.test('a file in place of the directory is an error with the path', async (t) => {
    const { store, directory, runtime, file } = open(t);
    mkdirSync(runtime, { recursive: true });
    writeFileSync(directory, '');
    const calls = [() => store.write(KEY, storedSession('rt-planted')), () => store.remove(KEY)];
    for (const call of calls) {
      const error = await rejection(call());
      if (error === undefined) continue;
      t.match(error, { code: 'ERR_STORE_FAILED', fix: /free space and permissions/ });
      t.ok(error instanceof Error && error.message.includes(file));
      t.notMatch(String(error instanceof Error && error.message), /planted/);
    }
    t.equal(await store.read(KEY), undefined, 'and nothing is stored there');
  });

  t.test('a read-only directory is an error with the path', async (t) => {
    const { store, directory, file, runtime } = open(t);
    await store.write(KEY, storedSession('rt-1'));
    chmodSync(directory, 0o500);
    // Root writes everywhere, so it steps down for this one.
    if (root) {
      for (const path of [join(runtime, '..'), runtime]) chmodSync(path, 0o711);
      process.seteuid?.(STRANGER);
    }
    const error = await rejection(store.write(KEY, storedSession('rt-2')));
    if (root) process.seteuid?.(0);
    t.match(error, { code: 'ERR_STORE_FAILED', message: /could not be written: .*EACCES/ });
    t.ok(error instanceof Error && error.message.includes(file));
    chmodSync(directory, 0o700);
    t.match(readFileSync(file, 'utf8'), /rt-1/, 'what was there is there');
    t.same(readdirSync(directory), [`${KEY}.json`]);
  });

  t.test(
    'a disk that takes no more',
    { skip: process.platform === 'win32' ? 'needs ulimit' : false },
    async (t) => {
      const { runtime, directory, file, store } = open(t);
      await store.write(KEY, storedSession('rt-1'));
      // The test runner's own hooks in a child write files too.
      const command = 'unset NODE_OPTIONS; ulimit -f 0; exec "$0" "$@"';
      const child = spawnSync('sh', ['-c', command, process.execPath, WRITE_CHILD, runtime, KEY], {
        encoding: 'utf8',
      });
      t.match(child.stderr, /^ERR_STORE_FAILED .*\.json could not be written: Error\(EFBIG\)/, child.stderr);
      t.ok(child.stderr.includes(file));
      t.equal((await store.read(KEY))?.refreshToken, 'rt-1', 'the old session survives');
      t.same(readdirSync(directory), [`${KEY}.json`], 'nothing half-written stays');
    },
  );
});

t.test('a removed runtime directory is created again', async (t) => {
  const { store, runtime } = open(t);
  t.notOk(existsSync(runtime));
  await store.write(KEY, storedSession('rt-1'));
  renameSync(runtime, `${runtime}.gone`);
  t.equal(await store.read(KEY), undefined);
  await store.write(KEY, storedSession('rt-2'));
  t.equal((await store.read(KEY))?.refreshToken, 'rt-2');
});
