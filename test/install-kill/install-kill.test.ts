import t from 'tap';
import { type Kill, kills, notUndone, startKilling, summary } from './kills.ts';

t.setTimeout(600_000);

/** `npm run test:install-kill` runs more kills. */
const COUNT = 16;

t.test('kill -9 during an upgrade leaves a working installation, and the next run repairs it', async (t) => {
  const killing = await startKilling(t);
  const done: Kill[] = [];
  for await (const kill of kills(killing, 1, 0, COUNT)) done.push(kill);
  t.notOk(
    done.some(({ broken }) => broken !== undefined),
    summary(done),
  );
  t.ok(
    done.some(({ found }) => found !== 'ended'),
    'some were killed before their end',
  );
  t.equal(await notUndone(killing), '');
});
