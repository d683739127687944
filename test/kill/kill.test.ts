import t from 'tap';
import { keyring, missing, sessionBus } from '../../tools/support/find-tool.ts';
import { type Running, startRunning } from '../faults/running.ts';
import { startKeyring } from '../fixtures/keyring.ts';
import { GRACE_SECONDS, type Kill, kills, summary } from './kill.ts';

const SEED = 1;

async function killed(running: Running, count: number): Promise<Kill[]> {
  await running.home.endDaemon();
  const done: Kill[] = [];
  for await (const kill of kills(running, SEED, 0, count)) done.push(kill);
  return done;
}

const provider = { rotationGraceSeconds: GRACE_SECONDS };

t.test('kill -9 during rotations loses no sign-in: session file', async (t) => {
  const done = await killed(await startRunning(t, { sandbox: { provider } }), 20);
  t.notOk(
    done.some(({ lost }) => lost !== undefined),
    summary(done),
  );
  t.ok(
    done.some(({ stored }) => stored === 'grace'),
    'some were killed between the rotation and the write',
  );
});

t.test(
  'kill -9 during rotations loses no sign-in: keyring',
  { skip: missing({ 'gnome-keyring': keyring, 'dbus-run-session': sessionBus }) },
  async (t) => {
    const running = await startRunning(t, {
      sandbox: { provider },
      profile: { credential_storage: 'keyring' },
      installation: { env: (await startKeyring(t)).env },
    });
    const done = await killed(running, 8);
    t.notOk(
      done.some(({ lost }) => lost !== undefined),
      summary(done),
    );
  },
);
