import { execFile } from 'node:child_process';
import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { createCredentialLocks } from '../../../daemon/session/credential-lock.ts';
import { codeOf, gate, settled } from '../../../tools/support/daemon-edges.ts';

const run = promisify(execFile);

t.test('a lock has one holder at a time, also within a process', async (t) => {
  const lock = createCredentialLocks(join(t.testdir({}), 'locks'));
  const release = await lock('a', 0);
  t.equal(await codeOf(lock('a', 0)), 'ERR_SESSION_BUSY');
  (await lock('b', 0))();
  const waiting = lock('a', 60_000);
  await settled();
  release();
  (await waiting)();
  (await lock('a', 0))();
});

t.test('a lock file is readable by this user only, and a link there is refused', async (t) => {
  const directory = join(t.testdir({}), 'locks');
  const lock = createCredentialLocks(directory);
  (await lock('a', 0))();
  t.equal(lstatSync(directory).mode & 0o777, 0o700);
  t.equal(lstatSync(join(directory, 'a.lock')).mode & 0o777, 0o600);
  writeFileSync(join(directory, 'target'), 'text');
  symlinkSync('target', join(directory, 'b.lock'));
  t.equal(await codeOf(lock('b', 0)), 'ERR_STORE_FAILED');
});

t.test('a folder where no lock can be created is an error', async (t) => {
  const directory = join(t.testdir({ file: '' }), 'file', 'locks');
  t.equal(await codeOf(createCredentialLocks(directory)('a', 0)), 'ERR_STORE_FAILED');
});

t.test('the lock of a killed process is free', async (t) => {
  const directory = join(t.testdir({}), 'locks');
  mkdirSync(directory);
  const module = fileURLToPath(new URL('../../../daemon/session/credential-lock.js', import.meta.url));
  const script = `const { createCredentialLocks } = await import(${JSON.stringify(module)});
    await createCredentialLocks(${JSON.stringify(directory)})('a', 0);
    process.kill(process.pid, 'SIGKILL');`;
  await run(process.execPath, ['--input-type=module', '-e', script]).catch(() => {});
  (await createCredentialLocks(directory)('a', 0))();
});

t.test('another process holds the lock as long as it lives', async (t) => {
  const directory = join(t.testdir({}), 'locks');
  const module = fileURLToPath(new URL('../../../daemon/session/credential-lock.js', import.meta.url));
  const script = `const { createCredentialLocks } = await import(${JSON.stringify(module)});
    await createCredentialLocks(${JSON.stringify(directory)})('a', 0);
    process.stdout.write('held');
    process.stdin.resume();`;
  const holding = gate();
  const child = execFile(process.execPath, ['--input-type=module', '-e', script]);
  child.stdout?.once('data', () => holding.open());
  t.teardown(() => child.kill('SIGKILL'));
  await holding.promise;
  const lock = createCredentialLocks(directory);
  t.equal(await codeOf(lock('a', 0)), 'ERR_SESSION_BUSY');
  const waiting = lock('a', 60_000);
  child.kill('SIGKILL');
  (await waiting)();
});
