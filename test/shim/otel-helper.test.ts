import t from 'tap';
import { fakeDaemon, ok, problem } from './fixtures/fake-daemon.ts';
import { installation, run } from './fixtures/installation.ts';

t.test('--test shows the headers to people, without the token', async (t) => {
  const made = installation();
  t.teardown(made.remove);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  daemon.on('otelHeaders', () =>
    ok({
      'x-user-email': 'jane@example.com',
      'x-department': 'R and D',
      authorization: 'Bearer planted.secret',
    }),
  );
  const { status, stdout, stderr } = await made.run('otel-helper', ['--test']);
  t.equal(status, 0);
  t.equal(stderr, '');
  t.notMatch(stdout, 'planted');
  t.equal(
    stdout,
    'Telemetry headers of profile ClaudeCode\n\n' +
      'x-user-email   jane@example.com\n' +
      'x-department   R and D\n' +
      'authorization  Bearer (hidden, 21 characters)\n',
  );
});

t.test('--test shows why there are no headers', async (t) => {
  const made = installation();
  t.teardown(made.remove);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  for (const answer of [ok({}), problem(401, 'ERR_LOGIN_REQUIRED')]) {
    daemon.on('otelHeaders', () => answer);
    const { status, stdout, stderr } = await made.run('otel-helper', ['--test', '-p', 'Team']);
    t.equal(status, 1);
    t.equal(stdout, '');
    t.match(stderr, /^otel-helper: .+ \(ERR_LOGIN_REQUIRED\)\n {2}fix: .+\n$/);
  }
});

t.test('help and version succeed, wrong flags fail', async (t) => {
  const made = installation();
  t.teardown(made.remove);
  const help = await made.run('otel-helper', ['--help']);
  t.match(help.stdout, /^Usage: otel-helper/);
  t.ok(help.stdout.split('\n').every((line) => line.length <= 80));
  t.match((await made.run('otel-helper', ['--version'])).stdout, /^otel-helper \d+\.\d+\.\d+\n$/);
  const wrong = await made.run('otel-helper', ['--test', '--nonsense']);
  t.equal(wrong.status, 2);
  t.match(wrong.stderr, /^otel-helper: .+ \(ERR_USAGE\)\n {2}fix: .+\n$/);
});

t.test('the TypeScript helper has the same contract without the shell file', async (t) => {
  const made = installation();
  t.teardown(made.remove);
  const script = [process.execPath, `${made.directory}/shim/otel-helper.js`];
  t.strictSame(await run(script, { env: made.env }), { status: 0, stdout: '{}\n', stderr: '' });
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  daemon.on('otelHeaders', () => ok({ a: 'b' }));
  t.equal((await run([...script, '-p', 'ClaudeCode'], { env: made.env })).stdout, '{"a":"b"}\n');
});
