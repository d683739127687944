import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { BUILD_VERSION } from '../../protocol/version.ts';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const CCWB = fileURLToPath(new URL(`../../admin/ccwb.${EXTENSION}`, import.meta.url));

// Runs before the program and tells at its end how many files of CDK and of the AWS SDK were loaded.
const COUNT_SLOW = `data:text/javascript,${encodeURIComponent(`
  import module from 'node:module';
  process.on('exit', () => {
    const loaded = Object.keys(module._cache).filter((path) => /aws-cdk-lib|@aws-sdk|@smithy/.test(path));
    process.stderr.write('slow files loaded: ' + loaded.length + '\\n');
  });
`)}`;

function ccwb(t: Test, ...args: string[]): { stdout: string; stderr: string; status: number | null } {
  const home = t.testdir({
    'config.json': JSON.stringify({
      ClaudeCode: {
        provider_domain: 'company.okta.com',
        client_id: '0oa1b2c3',
        identity_pool_id: 'us-east-1:0',
      },
    }),
    tmp: {},
  });
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    CCWB_CONFIG: `${home}/config.json`,
    // Under HOME, where it would be by default, its path is too long for a socket here.
    CCWB_SOCKET: '/run/ccwb-test.sock',
    TMPDIR: `${home}/tmp`,
  };
  const options = { encoding: 'utf8', env } as const;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', COUNT_SLOW, CCWB, ...args],
    options,
  );
  t.strictSame(readdirSync(`${home}/tmp`), [], 'leaves no temporary files');
  return { stdout, stderr, status };
}

t.test('help is printed without loading CDK or the AWS SDK', async (t) => {
  for (const args of [['--help'], ['deploy', '--help'], ['status', '--help'], ['destroy', '--help']]) {
    const { stdout, stderr, status } = ccwb(t, ...args);
    t.equal(status, 0);
    t.match(stdout, /^Usage: ccwb/);
    t.match(stdout, /Examples:\n/);
    t.equal(stderr, 'slow files loaded: 0\n');
  }
});

t.test('the version is that of the build', async (t) => {
  const { stdout, stderr, status } = ccwb(t, '--version');
  t.strictSame({ stdout, status }, { stdout: `${BUILD_VERSION}\n`, status: 0 });
  t.equal(stderr, 'slow files loaded: 0\n');
});

t.test('a missing command is wrong usage and prints the help', async (t) => {
  const { stdout, stderr, status } = ccwb(t);
  t.equal(status, 2);
  t.equal(stdout, '');
  t.match(stderr, /^Usage: ccwb/);
});

t.test('--show-template prints only the template on stdout', async (t) => {
  const { stdout, stderr, status } = ccwb(t, 'deploy', 'auth', '--show-template');
  t.equal(status, 0);
  t.match(JSON.parse(stdout), { Resources: { IdentityPool: { Type: 'AWS::Cognito::IdentityPool' } } });
  t.match(stderr, /^slow files loaded: [1-9]\d*\n$/, 'so the count above means something');
});

t.test('a reader that stops early is not an error', async (t) => {
  // The pipe is gone before the program writes to it.
  const command = `{ sleep 0.1; "${process.execPath}" "${CCWB}" deploy --help; echo "status $?" >&2; } | true`;
  const { stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  t.equal(stderr, 'status 0\n');
});
