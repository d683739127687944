import { chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { CREDENTIALS_LINE, fakeDaemon, ok, problem } from '../fixtures/fake-daemon.ts';
import { findProgram, installation, REPOSITORY, run } from '../fixtures/installation.ts';
import { noCurl, SHELLS, sharedPart } from '../fixtures/shells.ts';

// Many processes one after the other, on a machine that may have other things to do.
t.setTimeout(120_000);

const GOOD = JSON.stringify(JSON.parse(CREDENTIALS_LINE));

const missing = (program: string): string | false => !findProgram(program) && `${program} is not installed`;

t.test('shellcheck finds nothing in the shell files', { skip: missing('shellcheck') }, async (t) => {
  const files = ['install', 'credential-process', 'otel-helper', 'bedrock-auth', 'bedrock-authd'];
  const { status, stdout } = await run(['shellcheck', ...files.map((name) => `shim/launchers/${name}.sh`)], {
    cwd: REPOSITORY,
    env: { PATH: process.env.PATH },
  });
  t.equal(stdout, '');
  t.equal(status, 0);
});

t.test('the repeated parts are identical in every file', async (t) => {
  const ask = sharedPart('credential-process', 'ask');
  t.equal(sharedPart('otel-helper', 'ask'), ask);
  const launch = sharedPart('credential-process', 'launch');
  for (const program of ['otel-helper', 'bedrock-auth', 'bedrock-authd']) {
    t.equal(sharedPart(program, 'launch'), launch, program);
  }
});

for (const { name, shell, missing } of SHELLS) {
  t.test(`${name}: forwards the daemon's reply without Node.js`, { skip: missing || noCurl }, async (t) => {
    const home = installation();
    t.teardown(home.remove);
    home.replaceNode();
    const daemon = await fakeDaemon(home.socket);
    t.teardown(daemon.close);
    daemon.on('credentials', () => ok(JSON.parse(CREDENTIALS_LINE)));
    const ways: [string[], Record<string, string>][] = [
      [['--profile', 'My.Team_1-x'], {}],
      [['--profile=My.Team_1-x'], {}],
      [['-p', 'My.Team_1-x'], {}],
      [['-pMy.Team_1-x'], {}],
      [[], { CCWB_PROFILE: 'My.Team_1-x' }],
      [['-p', 'My.Team_1-x'], { CCWB_PROFILE: 'Other' }],
    ];
    for (const [args, env] of ways) {
      const outcome = await home.run('credential-process', args, { shell, env });
      t.strictSame(outcome, { status: 0, stdout: CREDENTIALS_LINE, stderr: '' }, args.join(' '));
    }
    t.strictSame(new Set(daemon.asked.map(({ params }) => params.profile)), new Set(['My.Team_1-x']));
    t.strictSame(daemon.refused, []);
  });

  t.test(
    `${name}: other calls go to the TypeScript shim with the same arguments`,
    { skip: missing },
    async (t) => {
      const home = installation();
      t.teardown(home.remove);
      home.replaceNode();
      const daemon = await fakeDaemon(home.socket);
      t.teardown(daemon.close);
      daemon.on('credentials', () => ok(JSON.parse(CREDENTIALS_LINE)));
      const fallsThrough: string[][] = [
        [],
        ['--explain'],
        ['--profile', 'A', '--login'],
        ['--profile'],
        ['-p'],
        ['--profile', ''],
        ['--profile='],
        ['--profile', '../x'],
        ['--profile', 'a b'],
        ['--profile', '.a'],
        ['--profile', 'a?b'],
        ['--profile', 'a%41'],
        ['--profile', 'é'],
        ['--profile', 'a\nb'],
        ['--profile', '$(id)'],
        ['--profile', 'x'.repeat(65)],
        ['--profile', 'A', '--profile', 'B'],
        ['A'],
      ];
      for (const args of fallsThrough) {
        const outcome = await home.run('credential-process', args, {
          shell,
          env: { NODE_OPTIONS: '--inspect' },
        });
        const entry = join(home.directory, 'shim', 'credential-process.js');
        // printf uses its format once also when there is nothing to print.
        const printed = [entry, ...args].map((arg) => ` [${arg}]`).join('');
        t.strictSame(outcome, { status: 0, stdout: `node${printed} \n`, stderr: '' }, JSON.stringify(args));
      }
      t.strictSame(daemon.asked, [], 'the daemon was not asked');
    },
  );

  t.test(`${name}: only a complete and valid reply is printed`, { skip: missing }, async (t) => {
    const home = installation();
    t.teardown(home.remove);
    home.replaceNode();
    const daemon = await fakeDaemon(home.socket);
    t.teardown(daemon.close);
    const half = GOOD.slice(0, 400);
    const answers = {
      'an error': problem(401, 'ERR_LOGIN_REQUIRED'),
      'a body that ends early': { raw: `HTTP/1.1 200 OK\r\ncontent-length: ${GOOD.length}\r\n\r\n${half}` },
      'a chunked body that ends early': {
        raw: `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n190\r\n${half}\r\n`,
      },
      'half a body of unknown length': { raw: `HTTP/1.0 200 OK\r\n\r\n${half}` },
      'an empty body': { raw: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n' },
      'a page': { raw: 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>' },
      'no status line': { raw: 'hello\r\n\r\n' },
      'no answer at all': { raw: '' },
      'a redirect': {
        raw: 'HTTP/1.1 302 Found\r\nlocation: http://localhost/x\r\ncontent-length: 0\r\n\r\n',
      },
    };
    for (const [what, answer] of Object.entries(answers)) {
      daemon.on('credentials', () => answer);
      const { stdout, stderr } = await home.run('credential-process', ['-p', 'A'], { shell });
      t.match(stdout, /^node \[.*\] \[-p\] \[A\] \n$/, what);
      t.equal(stderr, '', what);
    }
  });

  t.test(
    `${name}: finds its folder through links and paths with spaces`,
    { skip: missing || noCurl },
    async (t) => {
      const home = installation({ home: `it's a "höme" $HOME` });
      t.teardown(home.remove);
      home.replaceNode();
      const link = join(home.home, 'other link');
      const second = join(home.home, 'second');
      await run(['ln', '-s', join(home.directory, 'credential-process'), link], { env: home.env });
      await run(['ln', '-s', 'other link', second], { env: home.env });
      for (const path of ['credential-process', link, second]) {
        const { stdout, stderr } = await home.run(path, ['--explain'], { shell });
        t.equal(
          stdout,
          `node [${join(home.directory, 'shim', 'credential-process.js')}] [--explain] \n`,
          path,
        );
        t.equal(stderr, '');
      }
      const relative = await run([...shell, './second', '--explain'], {
        cwd: home.home,
        env: { ...home.env, CDPATH: '/' },
      });
      t.equal(
        relative.stdout,
        `node [${join(home.directory, 'shim', 'credential-process.js')}] [--explain] \n`,
      );
      const env = { CCWB_SOCKET: undefined, XDG_RUNTIME_DIR: home.home };
      const daemon = await fakeDaemon(join(home.home, 'claude-code-with-bedrock', 'daemon.sock'));
      t.teardown(daemon.close);
      daemon.on('credentials', () => ok(JSON.parse(CREDENTIALS_LINE)));
      const outcome = await home.run('credential-process', ['-p', 'A'], { shell, env });
      t.equal(outcome.stdout, CREDENTIALS_LINE);
    },
  );

  t.test(`${name}: a hostile environment changes nothing`, { skip: missing || noCurl }, async (t) => {
    const home = installation();
    t.teardown(home.remove);
    home.replaceNode();
    const poison = 'echo poisoned; exit 0';
    for (const tool of ['curl', 'printf', 'test', 'id', 'uname', 'cat', 'dirname'])
      home.addBrowser(tool, poison);
    writeFileSync(join(home.home, '.curlrc'), 'output = "stolen"\nproxy = "http://127.0.0.1:9"\n');
    const daemon = await fakeDaemon(home.socket);
    t.teardown(daemon.close);
    daemon.on('credentials', () => ok(JSON.parse(CREDENTIALS_LINE)));
    const proxy = 'http://127.0.0.1:9';
    const environments: Record<string, string | undefined>[] = [
      { PATH: join(home.home, '..') },
      { PATH: undefined },
      { PATH: '' },
      { IFS: '/l', ENV: '/nonexistent', CDPATH: '/', POSIXLY_CORRECT: '1' },
      { http_proxy: proxy, HTTP_PROXY: proxy, all_proxy: proxy, ALL_PROXY: proxy, CURL_HOME: home.home },
      { LC_ALL: 'de_DE.UTF-8', LANG: 'tr_TR.UTF-8', LC_NUMERIC: 'de_DE.UTF-8' },
      { profile: 'X', socket: '/x', reply: 'x', home: 'x', curl: '/x', letters: '', uid: '77' },
    ];
    for (const env of environments) {
      const outcome = await home.run('credential-process', ['-p', 'A'], { shell, env });
      // On standard error bash may regret that it does not have the locale.
      t.equal(outcome.stdout, CREDENTIALS_LINE, JSON.stringify(env));
      t.equal(outcome.status, 0);
    }
  });

  t.test(`${name}: works with closed standard streams`, { skip: missing || noCurl }, async (t) => {
    const home = installation();
    t.teardown(home.remove);
    home.replaceNode();
    const daemon = await fakeDaemon(home.socket);
    t.teardown(daemon.close);
    daemon.on('credentials', () => ok(JSON.parse(CREDENTIALS_LINE)));
    const command = [...shell, join(home.directory, 'credential-process')];
    for (const closed of ['<&-', '2>&-', '<&- 2>&-']) {
      const outcome = await run(['/bin/sh', '-c', `"$@" -p A ${closed}`, 'sh', ...command], {
        env: home.env,
      });
      t.equal(outcome.stdout, CREDENTIALS_LINE, closed);
      t.equal(outcome.status, 0, closed);
    }
    const unread = await run(['/bin/sh', '-c', '"$@" -p A >&-', 'sh', ...command], { env: home.env });
    t.not(unread.status, 0, 'an answer that nobody got is no success');
  });
}

t.test('no request goes to a linked socket, a linked directory or a file that is no socket', async (t) => {
  const home = installation();
  t.teardown(home.remove);
  home.replaceNode();
  const real = join(home.home, 'real', 'daemon.sock');
  const daemon = await fakeDaemon(real);
  t.teardown(daemon.close);
  daemon.on('credentials', () => ok(JSON.parse(CREDENTIALS_LINE)));
  mkdirSync(join(home.home, 'linked'));
  symlinkSync(real, join(home.home, 'linked', 'daemon.sock'));
  symlinkSync(join(home.home, 'real'), join(home.home, 'directory'));
  writeFileSync(join(home.home, 'file'), '');
  const sockets = ['linked/daemon.sock', 'directory/daemon.sock', 'file', 'nothing/here'].map((path) =>
    join(home.home, path),
  );
  for (const socket of [...sockets, 'relative.sock']) {
    const outcome = await home.run('credential-process', ['-p', 'A'], { env: { CCWB_SOCKET: socket } });
    t.match(outcome.stdout, /^node /, socket);
  }
  t.strictSame(daemon.asked, []);
});

const asRoot = process.getuid?.() === 0;
t.test(
  "no request goes to another user's socket",
  {
    skip: (!asRoot && 'only root can give a file to another user') || noCurl,
  },
  async (t) => {
    const home = installation();
    t.teardown(home.remove);
    home.replaceNode();
    const daemon = await fakeDaemon(home.socket);
    t.teardown(daemon.close);
    daemon.on('credentials', () => ok(JSON.parse(CREDENTIALS_LINE)));
    for (const [path, what] of [
      [home.socket, 'the socket'],
      [dirname(home.socket), 'its directory'],
    ] as const) {
      chownSync(path, 4242, 4242);
      t.match((await home.run('credential-process', ['-p', 'A'])).stdout, /^node /, what);
      chownSync(path, 0, 0);
    }
    t.equal((await home.run('credential-process', ['-p', 'A'])).stdout, CREDENTIALS_LINE);
  },
);

t.test(
  'credential-process.sh starts no other process than one curl',
  { skip: missing('strace') },
  async (t) => {
    const home = installation();
    t.teardown(home.remove);
    const daemon = await fakeDaemon(home.socket);
    t.teardown(daemon.close);
    daemon.on('credentials', () => ok(JSON.parse(CREDENTIALS_LINE)));
    const trace = join(home.home, 'trace');
    const strace = [
      findProgram('strace') ?? '',
      '-f',
      '-qq',
      '-e',
      'trace=execve,clone,clone3,fork,vfork',
      '-o',
      trace,
    ];
    const outcome = await run([...strace, join(home.directory, 'credential-process'), '-p', 'A'], {
      env: home.env,
    });
    t.equal(outcome.stdout, CREDENTIALS_LINE, outcome.stderr);
    const calls = readFileSync(trace, 'utf8').split('\n');
    const executed = calls.filter((line) => /\bexecve\(.* = 0$/.test(line));
    const forked = calls.filter(
      (line) => /\b(clone3?|v?fork)\(/.test(line) && !line.includes('CLONE_THREAD'),
    );
    t.equal(executed.length, 2, executed.join('\n'));
    t.equal(forked.length, 1, forked.join('\n'));
  },
);
