import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createContainerToken, removeContainerToken } from '../../../daemon/container/container-token.ts';

t.test('the token has 256 bits and a file that only this user can read', async (t) => {
  const path = join(t.testdir({}), 'run', 'token');
  const token = createContainerToken(path);
  const text = readFileSync(path, 'utf8');
  t.match(text, /^[\w-]{43}$/, 'and nothing but it, since SDKs send it as it stands');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.ok(token.matches(text));
  token.remove();
  t.notOk(existsSync(path));
  token.remove();
  t.pass('twice is no error');
});

t.test('no other text matches, of any length', async (t) => {
  const path = join(t.testdir({}), 'token');
  const token = createContainerToken(path);
  const text = readFileSync(path, 'utf8');
  const others = [
    '',
    ' ',
    text.slice(1),
    `${text} `,
    `${text}\n`,
    text.toUpperCase(),
    `Bearer ${text}`,
    '\0',
    'é',
  ];
  for (const sent of others) t.notOk(token.matches(sent), JSON.stringify(sent));
});

t.test('each token is new and replaces the file', async (t) => {
  const directory = t.testdir({});
  const path = join(directory, 'token');
  const first = createContainerToken(path);
  const before = readFileSync(path, 'utf8');
  const second = createContainerToken(path);
  t.not(readFileSync(path, 'utf8'), before);
  t.notOk(second.matches(before));
  t.ok(first.matches(before));
  second.remove();
  const elsewhere = join(directory, 'elsewhere');
  writeFileSync(elsewhere, 'precious');
  symlinkSync(elsewhere, path);
  createContainerToken(path);
  t.equal(readFileSync(elsewhere, 'utf8'), 'precious', 'a link is replaced, not followed');
  t.ok(statSync(path).isFile());
});

t.test('a file that cannot be removed is no error', async (t) => {
  const path = join(t.testdir({}), 'token');
  mkdirSync(path);
  removeContainerToken(path);
  removeContainerToken(join(path, 'nothing', 'here'));
  t.pass();
});
