import t from 'tap';
import { type Kill, kills, notUndone, startKilling, summary } from './kills.ts';

t.setTimeout(600_000);

/** More of them: npm run test:install-kill. */
const COUNT = 16;

t.test(
  'kill -9 during upgrades leaves the old installation or the new, and the next run repairs',
  async (t) => {
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
  },
);
