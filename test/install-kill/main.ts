/** `npm run test:install-kill`: kills the installer repeatedly while it upgrades. */
import { parseArgs } from 'node:util';
import { type Kill, kills, notUndone, startKilling, summary } from './kills.ts';

const HELP = `npm run test:install-kill: kill -9 at random moments of upgrades; counts installations broken.

Usage: npm run test:install-kill -- [options]
  --count N    how many kills (default 200)
  --seed N     decides every moment (default 1)
  --from N     the first one's number, to repeat one (default 0)
  -h, --help   print this help
`;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const [count = 0, seed = 1, from = 0] = [values.count, values.seed, values.from].map(Number);
if (![count, seed, from].every((value) => Number.isSafeInteger(value))) {
  process.stderr.write('test:install-kill: --count, --seed and --from are whole numbers (ERR_USAGE)\n');
  process.exit(2);
}

const teardowns: (() => unknown)[] = [];
const done: Kill[] = [];
let left = '';
try {
  const killing = await startKilling({ teardown: (action) => void teardowns.push(action) });
  for await (const kill of kills(killing, seed, from, count)) {
    done.push(kill);
    if (process.stdout.isTTY) process.stdout.write(`\r${done.length} of ${count}`);
    if (kill.broken !== undefined) break;
  }
  left = await notUndone(killing);
} finally {
  for (const teardown of teardowns.reverse()) await teardown();
}
process.stdout.write(`${process.stdout.isTTY ? '\r' : ''}seed ${seed}, from ${from}\n${summary(done)}\n`);
process.stdout.write(`afterwards uninstalled: ${left === '' ? 'the home is as it was' : left}\n`);
process.exit(left !== '' || done.some(({ broken }) => broken !== undefined) ? 1 : 0);
