import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { type ArchiveFile, readTarball, writeTarball } from '../../../admin/package/tarball.ts';

const SECONDS = 1_767_225_600;
const NEVER = new AbortController().signal;

const file = (path: string, content: string | Uint8Array = path, executable = false): ArchiveFile => ({
  path,
  bytes: Buffer.from(content),
  executable,
});

const FILES = [
  file('top/b/program', '#!/bin/sh\n', true),
  file('top/a'),
  file('top/a.b/c', 'x'.repeat(3_000_000)),
  file('top/empty', ''),
  file('top/block', 'x'.repeat(512)),
];

async function archive(t: Test, files: readonly ArchiveFile[], seconds = SECONDS) {
  const path = join(t.testdir({}), 'archive.tar.gz');
  const written = await writeTarball(path, files, seconds, NEVER);
  return { path, written, bytes: readFileSync(path) };
}

t.test('written files are read again with content and mode', async (t) => {
  const { bytes, written } = await archive(t, FILES);
  t.equal(written.bytes, bytes.byteLength);
  const files = await readTarball(bytes, (path) => path !== 'top/a');
  const expected = FILES.filter(({ path }) => path !== 'top/a');
  t.strictSame([...files.keys()].sort(), expected.map(({ path }) => path).sort());
  for (const { path, bytes, executable } of expected) {
    t.ok(Buffer.from(files.get(path)?.bytes ?? '').equals(bytes), path);
    t.equal(files.get(path)?.executable, executable, path);
  }
});

t.test('the tar program lists folders first, plain modes, owner 0 and one time', async (t) => {
  const { path } = await archive(t, FILES);
  const list = execFileSync('tar', ['--numeric-owner', '--full-time', '-tvzf', path], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
  });
  const lines = list.trimEnd().split('\n');
  t.strictSame(
    lines.map((line) => line.replace(/\s+/g, ' ')),
    [
      'drwxr-xr-x 0/0 0 2026-01-01 00:00:00 top/',
      '-rw-r--r-- 0/0 5 2026-01-01 00:00:00 top/a',
      'drwxr-xr-x 0/0 0 2026-01-01 00:00:00 top/a.b/',
      '-rw-r--r-- 0/0 3000000 2026-01-01 00:00:00 top/a.b/c',
      'drwxr-xr-x 0/0 0 2026-01-01 00:00:00 top/b/',
      '-rwxr-xr-x 0/0 10 2026-01-01 00:00:00 top/b/program',
      '-rw-r--r-- 0/0 512 2026-01-01 00:00:00 top/block',
      '-rw-r--r-- 0/0 0 2026-01-01 00:00:00 top/empty',
    ],
  );
});

t.test('the same files in another order give the same bytes', async (t) => {
  const first = await archive(t, FILES);
  const second = await archive(t, [...FILES].reverse());
  t.ok(first.bytes.equals(second.bytes));
  t.equal(first.written.sha256, second.written.sha256);
  const later = await archive(t, FILES, SECONDS + 1);
  t.notOk(first.bytes.equals(later.bytes), 'the time is that of the entries');
});

t.test('the gzip header names no time, no file and no system', async (t) => {
  const { bytes } = await archive(t, FILES);
  t.equal(bytes.subarray(0, 10).toString('hex'), '1f8b08000000000000ff');
  t.equal(gunzipSync(bytes).byteLength % 512, 0);
});

t.test('a path that is too long for the header is refused', async (t) => {
  await t.rejects(archive(t, [file(`top/${'x'.repeat(300)}`)]), { message: /too long for an archive/ });
});

t.test('an interruption ends the writing', async (t) => {
  const path = join(t.testdir({}), 'archive.tar.gz');
  await t.rejects(writeTarball(path, FILES, SECONDS, AbortSignal.abort()), { name: 'AbortError' });
});

t.test('a file that is not an archive is an error', async (t) => {
  await t.rejects(readTarball(Buffer.from('<html>sign in first</html>'), () => true));
});
