import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { DAEMON_NODE_OPTIONS } from '../../../shim/daemon/start-daemon.ts';
import { installation } from '../fixtures/installation.ts';
import { SHELLS } from '../fixtures/shells.ts';

const PROGRAMS = {
  'credential-process': 'shim/credential-process.js',
  'bedrock-auth': 'shim/bedrock-auth.js',
  'bedrock-authd': 'daemon/index.js',
};

for (const { name, shell, missing } of SHELLS) {
  t.test(
    `${name}: Node.js is taken from the installation, or else from the PATH`,
    { skip: missing },
    async (t) => {
      for (const [program, entry] of Object.entries(PROGRAMS)) {
        const home = installation();
        t.teardown(home.remove);
        home.replaceNode();
        const env = { NODE_OPTIONS: '--require /nonexistent.js' };
        const path = join(home.directory, entry);
        const options = program === 'bedrock-authd' ? DAEMON_NODE_OPTIONS : [];
        const own = await home.run(program, ['--a flag', ''], { shell, env });
        t.strictSame(own, {
          status: 0,
          stdout: `node ${[...options, path, '--a flag', ''].map((word) => `[${word}] `).join('')}\n`,
          stderr: '',
        });

        rmSync(join(home.directory, 'runtime'), { recursive: true });
        const PATH = `/nonexistent:${dirname(home.addBrowser('x'))}:/usr/bin:/bin`;
        const script = (version: string): string =>
          `[ "$1" = -v ] && echo ${version} && exit; echo "found $@"`;
        for (const version of ['v20.19.0', 'v20.20.2', 'v21.0.0', 'v26.10.0']) {
          home.addBrowser('node', script(version));
          const { stdout } = await home.run(program, ['--x'], { shell, env: { PATH } });
          t.equal(stdout, `found ${[...options, path].join(' ')} --x\n`, version);
        }
        for (const version of ['v20.18.3', 'v18.20.0', 'v8.0.0', 'nonsense', '']) {
          home.addBrowser('node', script(version));
          const { status, stdout, stderr } = await home.run(program, ['--x'], { shell, env: { PATH } });
          t.equal(status, 1, version);
          t.equal(stdout, '');
          t.match(stderr, /^\S+: .*(20\.19|version).* \(ERR_INSTALL_INCOMPLETE\)\n {2}fix: .+\n$/, version);
        }
      }
    },
  );

  t.test(`${name}: without any Node.js an error of two lines is printed`, { skip: missing }, async (t) => {
    for (const program of Object.keys(PROGRAMS)) {
      const home = installation();
      t.teardown(home.remove);
      rmSync(join(home.directory, 'runtime'), { recursive: true });
      const { status, stdout, stderr } = await home.run(program, [], {
        shell,
        env: { PATH: '/nonexistent' },
      });
      t.equal(status, 1);
      t.equal(stdout, '');
      t.match(stderr, new RegExp(`^${program}: no Node.js: .* \\(ERR_INSTALL_INCOMPLETE\\)\n {2}fix: .+\n$`));
    }
  });

  t.test(`${name}: an error names the missing JavaScript file`, { skip: missing }, async (t) => {
    const home = installation();
    t.teardown(home.remove);
    rmSync(join(home.directory, 'shim'), { recursive: true });
    const { status, stderr } = await home.run('bedrock-auth', ['status'], { shell });
    t.equal(status, 1);
    t.match(
      stderr,
      /^bedrock-auth: .*shim\/bedrock-auth\.js is missing \(ERR_INSTALL_INCOMPLETE\)\n {2}fix: .+\n$/,
    );
  });
}
