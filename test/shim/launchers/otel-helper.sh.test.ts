import { join } from 'node:path';
import t from 'tap';
import { fakeDaemon, ok, problem } from '../fixtures/fake-daemon.ts';
import { installation } from '../fixtures/installation.ts';
import { noCurl, SHELLS } from '../fixtures/shells.ts';

const HEADERS = { 'x-user-email': 'jane@example.com', 'x-department': 'R{&}D' };

for (const { name, shell, missing } of SHELLS) {
  t.test(
    `${name}: prints the daemon's headers for the selected profile`,
    { skip: missing || noCurl },
    async (t) => {
      const home = installation();
      t.teardown(home.remove);
      home.replaceNode();
      const daemon = await fakeDaemon(home.socket);
      t.teardown(daemon.close);
      daemon.on('otelHeaders', () => ok(HEADERS));
      const ways: [string, string[], Record<string, string>][] = [
        ['ClaudeCode', [], {}],
        ['Aws', [], { AWS_PROFILE: 'Aws' }],
        ['Ccwb', [], { AWS_PROFILE: 'Aws', CCWB_PROFILE: 'Ccwb' }],
        ['Flag', ['--profile', 'Flag'], { AWS_PROFILE: 'Aws', CCWB_PROFILE: 'Ccwb' }],
        ['Flag', ['--profile=Flag'], {}],
        ['Flag', ['-p', 'Flag'], {}],
      ];
      for (const [profile, args, env] of ways) {
        const outcome = await home.run('otel-helper', args, { shell, env });
        t.strictSame(outcome, { status: 0, stdout: `${JSON.stringify(HEADERS)}\n`, stderr: '' });
        t.equal(daemon.asked.at(-1)?.params.profile, profile);
      }
    },
  );

  t.test(`${name}: prints {} and exits with 0 after any failure`, { skip: missing || noCurl }, async (t) => {
    const home = installation();
    t.teardown(home.remove);
    home.replaceNode();
    const none = { status: 0, stdout: '{}\n', stderr: '' };
    t.strictSame(await home.run('otel-helper', [], { shell }), none, 'no daemon');
    const daemon = await fakeDaemon(home.socket);
    t.teardown(daemon.close);
    const answers = {
      'nobody signed in': problem(401, 'ERR_LOGIN_REQUIRED'),
      'an unknown profile': problem(404, 'ERR_PROFILE_UNKNOWN'),
      'a fault': problem(500, 'ERR_INTERNAL'),
      'half an answer': { raw: 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"a":"}' },
      'no headers': ok({}),
      'no answer': 'silence' as const,
    };
    for (const [what, answer] of Object.entries(answers)) {
      daemon.on('otelHeaders', () => answer);
      t.strictSame(await home.run('otel-helper', [], { shell }), none, what);
    }
    for (const args of [['--profile', '../x'], ['--unknown'], ['-p']]) {
      t.strictSame(await home.run('otel-helper', args, { shell }), none, args.join(' '));
    }
    const { PATH: _, ...bare } = home.env;
    t.strictSame(
      await home.run('otel-helper', [], {
        shell,
        env: { ...bare, HOME: undefined, XDG_RUNTIME_DIR: undefined },
      }),
      none,
      'no home',
    );
    t.notOk(daemon.asked.some(({ route }) => route === 'signIn'));
  });

  t.test(`${name}: --test, --help and --version go to the TypeScript shim`, { skip: missing }, async (t) => {
    const home = installation();
    t.teardown(home.remove);
    home.replaceNode();
    for (const args of [['--test'], ['--help'], ['--version'], ['--profile', 'A', '--test']]) {
      const { stdout } = await home.run('otel-helper', args, { shell });
      const entry = join(home.directory, 'shim', 'otel-helper.js');
      t.equal(stdout, `node${[entry, ...args].map((arg) => ` [${arg}]`).join('')} \n`);
    }
  });
}
