import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { DaemonRequest } from '../../protocol/client.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { askRunning, askStarting } from '../../shim/ask.ts';
import type { Program } from '../../shim/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'ccwb-'));
t.teardown(() => rmSync(folder, { recursive: true }));

const unreachable = (): CcwbError => new CcwbError('ERR_DAEMON_UNREACHABLE', 'not there', 'start it');

/** A program whose daemon answers as told, one answer after the other. */
function program(...answers: (() => Promise<unknown>)[]): { program: Program; asked: DaemonRequest[] } {
  const asked: DaemonRequest[] = [];
  const ask = async <T>(request: DaemonRequest): Promise<T> => {
    asked.push(request);
    const answer = answers.shift();
    if (!answer) throw new Error('asked too often');
    return (await answer()) as T;
  };
  return {
    asked,
    program: {
      name: 'credential-process',
      args: [],
      env: {},
      platform: process.platform,
      paths: {
        socket: join(folder, 'daemon.sock'),
        log: join(folder, 'logs', 'daemon.log'),
        audit: join(folder, 'logs', 'audit.jsonl'),
        config: join(folder, 'config.json'),
        networkSettings: join(folder, 'network.json'),
        installDirectory: folder,
        runtimeDirectory: folder,
      },
      daemon: { ask, answeredBy: () => undefined },
      installation: folder,
      interrupted: new AbortController().signal,
      now: Date.now,
      terminal: false,
      print: async () => {},
      say: () => {},
    },
  };
}

const refuses = async (): Promise<never> => {
  throw unreachable();
};
const isSlow = async (): Promise<never> => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  throw unreachable();
};

t.test('a daemon that refuses is not asked again', async (t) => {
  const { program: shim, asked } = program(refuses);
  await t.rejects(askRunning(shim, { route: 'status' }), { code: 'ERR_DAEMON_UNREACHABLE' });
  t.equal(asked.length, 1);
});

t.test('a daemon that is slow is asked again, with patience, before it is taken for dead', async (t) => {
  const { program: shim, asked } = program(isSlow, async () => 'answer');
  t.equal(await askStarting(shim, { route: 'status' }, () => t.fail('no start is prepared')), 'answer');
  t.strictSame(
    asked.map(({ startingMs }) => startingMs),
    [undefined, 2_000],
  );
});

t.test("the daemon's own errors are passed on, and nothing is started for them", async (t) => {
  const { program: shim, asked } = program(async () => {
    throw new CcwbError('ERR_AWS_DENIED', 'no', 'ask');
  });
  await t.rejects(
    askStarting(shim, { route: 'status' }, () => t.fail('no start is prepared')),
    { code: 'ERR_AWS_DENIED' },
  );
  t.equal(asked.length, 1);
});

t.test('mistakes found before a start keep it from happening', async (t) => {
  const { program: shim } = program(refuses);
  const mistake = new CcwbError('ERR_CONFIG_MISSING', 'no configuration', 'install');
  await t.rejects(
    askStarting(shim, { route: 'status' }, () => {
      throw mistake;
    }),
    mistake,
  );
});

t.test('a start that cannot be is an error of its own', async (t) => {
  const { program: shim } = program(refuses);
  await t.rejects(askStarting(shim, { route: 'status' }), { code: 'ERR_DAEMON_START' });
});
