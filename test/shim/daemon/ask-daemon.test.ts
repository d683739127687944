import t from 'tap';
import type { DaemonRequest } from '../../../protocol/client.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { askDaemon, askRunningDaemon } from '../../../shim/daemon/ask-daemon.ts';
import { fakeDaemon, ok } from '../fixtures/fake-daemon.ts';
import { type FakeProgram, fakeProgram } from '../fixtures/program.ts';

type Tap = { teardown(action: () => unknown): void };

const unreachable = (): CcwbError => new CcwbError('ERR_DAEMON_UNREACHABLE', 'not there', 'start it');

/** A program whose daemon answers as told, one answer after the other. */
function program(t: Tap, ...answers: (() => Promise<unknown>)[]): FakeProgram {
  return fakeProgram(t, async () => {
    const answer = answers.shift();
    if (!answer) throw new Error('asked too often');
    return answer();
  });
}

const refuses = async (): Promise<never> => {
  throw unreachable();
};
const isSlow = async (): Promise<never> => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  throw unreachable();
};
const waits = (asked: DaemonRequest[]) => asked.map(({ startingMs }) => startingMs);

t.test('a request that was refused is not sent again', async (t) => {
  const { program: shim, asked } = program(t, refuses);
  await t.rejects(askRunningDaemon(shim, { route: 'status' }), { code: 'ERR_DAEMON_UNREACHABLE' });
  t.equal(asked.length, 1);
});

t.test('a slow daemon is asked again with a longer limit before a start', async (t) => {
  const { program: shim, asked } = program(t, isSlow, async () => 'answer');
  t.equal(await askDaemon(shim, { route: 'status' }, () => t.fail('no start is prepared')), 'answer');
  t.strictSame(waits(asked), [undefined, 2_000]);
});

t.test("the daemon's own errors are passed on and start no daemon", async (t) => {
  const { program: shim, asked } = program(t, async () => {
    throw new CcwbError('ERR_AWS_DENIED', 'no', 'ask');
  });
  await t.rejects(
    askDaemon(shim, { route: 'status' }, () => t.fail('no start is prepared')),
    { code: 'ERR_AWS_DENIED' },
  );
  t.equal(asked.length, 1);
});

t.test('an error found before the start prevents it', async (t) => {
  const { program: shim } = program(t, refuses);
  const mistake = new CcwbError('ERR_CONFIG_MISSING', 'no configuration', 'install');
  await t.rejects(
    askDaemon(shim, { route: 'status' }, () => {
      throw mistake;
    }),
    mistake,
  );
});

t.test('a failed start has an error code of its own', async (t) => {
  const { program: shim } = program(t, refuses);
  await t.rejects(askDaemon(shim, { route: 'status' }), { code: 'ERR_DAEMON_START' });
});

t.test('a daemon that ends before it answers is started only once more', async (t) => {
  let prepared = 0;
  const prepare = (): void => {
    prepared += 1;
  };
  const { program: lucky, asked } = program(t, refuses, refuses, async () => 'answer');
  const daemon = await fakeDaemon(lucky.paths.socket);
  daemon.on('version', () => ok({ protocol: 1, build: '0.1.0', pid: 1, startedAt: '2026-01-02T00:00:00Z' }));
  t.teardown(daemon.close);
  t.equal(await askDaemon(lucky, { route: 'status' }, prepare), 'answer');
  t.strictSame(waits(asked), [undefined, 2_000, 2_000]);
  t.equal(prepared, 1);

  const { program: unlucky, asked: askedInVain } = program(t, refuses, refuses, refuses);
  const other = await fakeDaemon(unlucky.paths.socket);
  t.teardown(other.close);
  await t.rejects(askDaemon(unlucky, { route: 'status' }, prepare), { code: 'ERR_DAEMON_UNREACHABLE' });
  t.equal(askedInVain.length, 3);
});

t.test('a daemon that runs without answering is not started again', async (t) => {
  const { program: shim, asked } = program(t, refuses, isSlow);
  const daemon = await fakeDaemon(shim.paths.socket);
  t.teardown(daemon.close);
  const request = { route: 'status', answerMs: 200 } as const;
  await t.rejects(askDaemon(shim, request), { code: 'ERR_DAEMON_UNREACHABLE' });
  t.equal(asked.length, 2);
});
