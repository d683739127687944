import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { tryLock } from '../../daemon/native.ts';

t.test('a lock belongs to one descriptor until it is closed', async (t) => {
  const path = join(t.testdir({ lock: '' }), 'lock');
  const first = openSync(path, 'r+');
  const second = openSync(path, 'r+');
  t.equal(tryLock(first), true);
  t.equal(tryLock(second), false, 'the second does not wait');
  t.equal(tryLock(first), true, 'its owner may ask again');
  closeSync(first);
  t.equal(tryLock(second), true);
  closeSync(second);
});

t.test('a descriptor that is not open is not locked', async (t) => {
  t.equal(tryLock(1_000_000), false);
});
