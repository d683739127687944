/** `npm run test:kill`: kills the daemon again and again while it rotates the refresh token. */
import { parseArgs } from 'node:util';
import { startRunning } from '../faults/running.ts';
import { startKeyring } from '../fixtures/keyring.ts';
import { GRACE_SECONDS, type Kill, kills, summary } from './kill.ts';

const HELP = `npm run test:kill: kill -9 at random moments of rotations of the refresh token; counts sign-ins lost.

Usage: npm run test:kill -- [options]
  --count N    how many kills (default 300)
  --seed N     decides every moment (default 1)
  --from N     the first one's number, to repeat one (default 0)
  --keyring    keep the refresh token in a gnome-keyring, not in a session file
  -h, --help   print this help
`;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    keyring: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const [count, seed, from] = [values.count, values.seed, values.from].map(Number);
if (![count, seed, from].every((value) => Number.isSafeInteger(value))) {
  process.stderr.write('test:kill: --count, --seed and --from are whole numbers (ERR_USAGE)\n');
  process.exit(2);
}

const teardowns: (() => unknown)[] = [];
const t = { teardown: (action: () => unknown) => void teardowns.push(action) };
const done: Kill[] = [];
try {
  const running = await startRunning(t as Parameters<typeof startRunning>[0], {
    sandbox: { provider: { rotationGraceSeconds: GRACE_SECONDS } },
    ...(values.keyring
      ? { profile: { credential_storage: 'keyring' }, installation: { env: (await startKeyring(t)).env } }
      : {}),
  });
  await running.home.endDaemon();
  for await (const kill of kills(running, seed ?? 1, from ?? 0, count ?? 300)) {
    done.push(kill);
    if (process.stdout.isTTY) process.stdout.write(`\r${done.length} of ${count}`);
    if (kill.lost !== undefined) break;
  }
} finally {
  for (const teardown of teardowns.reverse()) await teardown();
}
process.stdout.write(`${process.stdout.isTTY ? '\r' : ''}seed ${seed}, from ${from}\n${summary(done)}\n`);
process.exit(done.some(({ lost }) => lost !== undefined) ? 1 : 0);
