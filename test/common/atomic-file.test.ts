import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readFileIfExists, replaceFile } from '../../common/atomic-file.ts';
import { shortDirectory } from '../daemon/fixtures/sockets.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

t.test('a file is created with its directories, for this user only', async (t) => {
  const directory = shortDirectory(t);
  const path = join(directory, 'a/b/file');
  t.equal(replaceFile(path, 'text', 0o600), true);
  t.equal(readFileSync(path, 'utf8'), 'text');
  t.equal(modeOf(path), 0o600);
  t.equal(modeOf(join(directory, 'a')), 0o700);
  t.strictSame(readdirSync(join(directory, 'a/b')), ['file'], 'nothing temporary is left');
});

t.test('the umask does not change the mode of a file', async (t) => {
  const path = join(shortDirectory(t), 'file');
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  replaceFile(path, 'text', 0o644);
  t.equal(modeOf(path), 0o644);
});

t.test('a file with the right content and mode is not written', async (t) => {
  const path = join(shortDirectory(t), 'file');
  replaceFile(path, 'text', 0o600);
  const { ino } = statSync(path);
  t.equal(replaceFile(path, 'text', 0o600), false);
  t.equal(statSync(path).ino, ino);
});

t.test('a file that is open to others is replaced even with the same content', async (t) => {
  const path = join(shortDirectory(t), 'file');
  writeFileSync(path, 'text');
  chmodSync(path, 0o644);
  t.equal(replaceFile(path, 'text', 0o600), true);
  t.equal(modeOf(path), 0o600);
});

t.test('replaceFile creates a new file instead of writing into the old one', async (t) => {
  const path = join(shortDirectory(t), 'file');
  replaceFile(path, 'old', 0o600);
  const { ino } = statSync(path);
  t.equal(replaceFile(path, 'new', 0o600), true);
  t.not(statSync(path).ino, ino);
});

t.test('a symbolic link stays a link and its target is replaced', async (t) => {
  const directory = shortDirectory(t);
  mkdirSync(join(directory, 'real'));
  writeFileSync(join(directory, 'real/file'), 'old');
  symlinkSync('real/file', join(directory, 'link'));
  replaceFile(join(directory, 'link'), 'new', 0o600);
  t.ok(lstatSync(join(directory, 'link')).isSymbolicLink());
  t.equal(readFileSync(join(directory, 'real/file'), 'utf8'), 'new');
});

t.test('a failed write leaves the old file and no temporary file', async (t) => {
  const directory = shortDirectory(t);
  mkdirSync(join(directory, 'file'));
  t.throws(() => replaceFile(join(directory, 'file'), 'text', 0o600), { code: 'EISDIR' });
  t.strictSame(readdirSync(directory), ['file']);
});

t.test('readFileIfExists returns undefined for a missing file', async (t) => {
  const directory = shortDirectory(t);
  writeFileSync(join(directory, 'file'), 'text');
  t.equal(readFileIfExists(join(directory, 'file')), 'text');
  t.equal(readFileIfExists(join(directory, 'none')), undefined);
  t.equal(readFileIfExists(join(directory, 'file/below')), undefined);
});
