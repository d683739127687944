import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import type { DoctorReport } from '../../common/findings.ts';
import { becomeBuild } from '../../tools/support/builds.ts';
import { freePort } from '../../tools/support/free-port.ts';
import type { RunOptions } from '../../tools/support/installation.ts';
import { misplaced, type Place } from '../fixtures/secret-search.ts';
import { startWorld, type World } from '../fixtures/world.ts';

// Many processes one after the other, on a machine that may have other things to do.
t.setTimeout(300_000);

const PLANTED = 'planted-secret-of-the-environment-0123456789';

/** One thing that is broken, and what doctor says of it: of this and, unless said otherwise, nothing else. */
type Break = {
  name: string;
  check: string;
  outcome: 'warning' | 'problem';
  text: RegExp;
  fix: RegExp;
  /** Checks that cannot be made then, or see the same thing. */
  also?: readonly string[];
  /** Breaks it, and gives what mends it. */
  how(world: World): Promise<() => Promise<unknown>>;
  run?: RunOptions;
  flags?: readonly string[];
};

/** A user who is signed in, with Claude Code set up. */
async function wellWorld(t: Test): Promise<{ world: World; doctor: Doctor; places: Place[] }> {
  const world = await startWorld(t);
  const { home } = world;
  await mkdir(join(home.home, '.claude'));
  await writeFile(settingsOf(world), JSON.stringify(goodSettings(world)));
  const { status, stderr } = await home.run(home.program('bedrock-auth'), ['login']);
  t.equal(status, 0, stderr);
  const places: Place[] = [];
  const doctor: Doctor = async (options, flags = []) => {
    const output = await home.run(home.program('bedrock-auth'), ['doctor', '--json', ...flags], options);
    places.push({ name: `doctor ${flags.join(' ')}`, bytes: Buffer.from(output.stdout + output.stderr) });
    return { status: output.status, report: JSON.parse(output.stdout) as DoctorReport };
  };
  return { world, doctor, places };
}

type Doctor = (
  options?: RunOptions,
  flags?: readonly string[],
) => Promise<{ status: number | null; report: DoctorReport }>;

const settingsOf = ({ home }: World): string => join(home.home, '.claude/settings.json');
const goodSettings = ({ home, sandbox }: World) => ({
  env: {
    CLAUDE_CODE_USE_BEDROCK: '1',
    AWS_PROFILE: 'ClaudeCode',
    AWS_REGION: 'us-east-1',
    CCWB_SIGN_IN: 'off',
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    OTEL_EXPORTER_OTLP_ENDPOINT: sandbox.aws.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
  } as Record<string, string>,
  otelHeadersHelper: home.program('otel-helper'),
  awsAuthRefresh: `${home.program('bedrock-auth')} login --profile ClaudeCode`,
});

/** Changes a file and gives what puts it back. */
async function changed(path: string, change: (text: string) => string): Promise<() => Promise<void>> {
  const before = await readFile(path, 'utf8');
  const { mode } = await stat(path);
  await writeFile(path, change(before));
  return () => writeFile(path, before, { mode });
}

async function moved(path: string): Promise<() => Promise<void>> {
  await rename(path, `${path}.away`);
  return () => rename(`${path}.away`, path);
}

async function withMode(path: string, mode: number): Promise<() => Promise<void>> {
  const before = (await stat(path)).mode & 0o777;
  await chmod(path, mode);
  return () => chmod(path, before);
}

function config(change: (profile: Record<string, unknown>) => void) {
  return ({ home }: World) =>
    changed(join(home.directory, 'config.json'), (text) => {
      const root = JSON.parse(text) as { profiles: { ClaudeCode: Record<string, unknown> } };
      change(root.profiles.ClaudeCode);
      return JSON.stringify(root);
    });
}

function settings(change: (settings: ReturnType<typeof goodSettings>) => object) {
  return (world: World) =>
    changed(settingsOf(world), () => JSON.stringify(change(structuredClone(goodSettings(world)))));
}

const awsConfig =
  (change: (text: string) => string) =>
  ({ home }: World) =>
    changed(join(home.home, '.aws/config'), change);

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => void server.close(() => resolve()));
}

/** Whatever depends on the profile. */
const PER_PROFILE = [
  ...['storage', 'provider', 'signing keys', 'clock', 'browser', 'redirect port', 'AWS', 'sign-in'],
  ...['AWS config', 'AWS credentials', 'environment', 'Claude Code'],
];
const nothing = async () => async () => {};

const BREAKS: readonly Break[] = [
  {
    name: 'a program of the installation is gone',
    check: 'installation',
    outcome: 'problem',
    text: /lacks otel-helper$/,
    fix: /install\.sh/,
    also: ['Claude Code'],
    how: ({ home }) => moved(home.program('otel-helper')),
  },
  {
    name: 'config.json is gone',
    check: 'config',
    outcome: 'problem',
    text: /no configuration at .*config\.json/,
    fix: /install\.sh/,
    also: PER_PROFILE,
    how: ({ home }) => moved(join(home.directory, 'config.json')),
  },
  {
    name: 'a field of config.json is wrong',
    check: 'config',
    outcome: 'problem',
    text: /redirect_port is "eighty"; allowed/,
    fix: /correct it/,
    also: PER_PROFILE,
    how: config((profile) => {
      profile.redirect_port = 'eighty';
    }),
  },
  {
    name: 'config.json has a field that nothing reads',
    check: 'config',
    outcome: 'warning',
    text: /profiles\.ClaudeCode\.redirect_prt$/,
    fix: /correct or remove/,
    how: config((profile) => {
      profile.redirect_prt = 1;
    }),
  },
  {
    name: 'the audit log is open to others',
    check: 'logs',
    outcome: 'warning',
    text: /audit log is open to others/,
    fix: /^chmod 600 /,
    how: async ({ home }) => {
      await home.run(home.program('credential-process'));
      const path = join(home.directory, 'logs/audit.jsonl');
      while (!(await stat(path).catch(() => undefined))) await new Promise((done) => setTimeout(done, 20));
      return withMode(path, 0o644);
    },
  },
  {
    name: 'the folder of the socket is open to others',
    check: 'socket',
    outcome: 'problem',
    text: /open to others \(mode 755\)$/,
    fix: /^chmod 700 /,
    how: ({ home }) => withMode(dirname(home.socket), 0o755),
  },
  {
    name: 'the daemon does not answer',
    check: 'daemon',
    outcome: 'problem',
    text: /does not answer/,
    fix: /^bedrock-auth service restart$/,
    also: ['sign-in'],
    how: async ({ home }) => {
      const { pid } = (await home.status()).daemon;
      process.kill(pid, 'SIGSTOP');
      return async () => process.kill(pid, 'SIGCONT');
    },
  },
  {
    name: 'a variable names a file of certificates that is none',
    check: 'network',
    outcome: 'problem',
    text: /no certificates can be read from/,
    fix: /NODE_EXTRA_CA_CERTS=/,
    how: nothing,
    run: { env: { NODE_EXTRA_CA_CERTS: '/etc/passwd' } },
  },
  {
    name: 'network.json is damaged',
    check: 'network',
    outcome: 'problem',
    text: /network\.json: not valid JSON/,
    fix: /network\.json/,
    // The way to the network goes through it.
    also: ['provider', 'signing keys', 'clock', 'AWS', 'collector'],
    how: async ({ home }) => {
      await writeFile(join(home.directory, 'network.json'), '{');
      return () => rm(join(home.directory, 'network.json'));
    },
  },
  {
    name: 'the provider is down',
    check: 'provider',
    outcome: 'problem',
    text: /127\.0\.0\.1/,
    fix: /^curl -sSI http:/,
    also: ['signing keys'],
    how: async ({ sandbox }) => {
      sandbox.provider.setFault('all', { kind: 'down' });
      return async () => sandbox.provider.setFault('all');
    },
  },
  {
    name: 'the network wants a sign-in of its own',
    check: 'provider',
    outcome: 'problem',
    text: /answers no JSON \(status 200\): a sign-in page of the network\?/,
    fix: /browser/,
    also: ['signing keys'],
    how: async ({ sandbox }) => {
      sandbox.provider.setFault('discovery', { kind: 'html' });
      return async () => sandbox.provider.setFault('discovery');
    },
  },
  {
    name: 'another provider answers',
    check: 'provider',
    outcome: 'problem',
    text: /calls itself https:\/\/other\.example/,
    fix: /issuer/,
    also: ['signing keys'],
    how: async ({ sandbox }) => {
      const body = JSON.stringify({ issuer: 'https://other.example' });
      sandbox.provider.setFault('discovery', { kind: 'status', status: 200, body });
      return async () => sandbox.provider.setFault('discovery');
    },
  },
  {
    name: 'the provider has no signing keys',
    check: 'signing keys',
    outcome: 'problem',
    text: /no signing keys at .*\(status 404\)/,
    fix: /administrator/,
    how: async ({ sandbox }) => {
      sandbox.provider.setFault('jwks', { kind: 'status', status: 404 });
      return async () => sandbox.provider.setFault('jwks');
    },
  },
  {
    name: 'another program has the redirect port',
    check: 'redirect port',
    outcome: 'problem',
    text: /is taken by another program/,
    fix: /lsof .*login --device/,
    how: async ({ redirectPort }) => {
      const server = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => server.listen(redirectPort, '127.0.0.1', resolve));
      return () => closed(server);
    },
  },
  {
    name: 'AWS does not answer',
    check: 'AWS',
    outcome: 'problem',
    text: /nobody listens there/,
    fix: /^curl /,
    also: ['sign-in'],
    how: async (world) => {
      const endpoint = `http://127.0.0.1:${await freePort()}`;
      return config((profile) => {
        profile.cognito_identity_endpoint = endpoint;
      })(world);
    },
  },
  {
    name: 'Bedrock does not answer',
    check: 'Bedrock',
    outcome: 'problem',
    text: /nobody listens there/,
    fix: /^curl /,
    how: nothing,
    flags: ['--bedrock'],
    run: { env: { ANTHROPIC_BEDROCK_BASE_URL: 'http://127.0.0.1:2' } },
  },
  {
    name: '~/.aws/config lacks the profile',
    check: 'AWS config',
    outcome: 'problem',
    text: /has no profile ClaudeCode$/,
    fix: /^printf .*credential_process = .*>> /,
    how: awsConfig(() => '[default]\nregion = us-east-1\n'),
  },
  {
    name: 'the profile runs a program that is gone',
    check: 'AWS config',
    outcome: 'problem',
    text: /which is no program$/,
    fix: /credential_process = .*--profile ClaudeCode/,
    how: awsConfig((text) => text.replace(/credential_process = \S+/, 'credential_process = /opt/gone')),
  },
  {
    name: 'the profile runs another program',
    check: 'AWS config',
    outcome: 'warning',
    text: /another installation's$/,
    fix: /credential_process = /,
    how: awsConfig((text) => text.replace(/credential_process = \S+/, 'credential_process = /bin/true')),
  },
  {
    name: 'the profile assumes a role first',
    check: 'AWS config',
    outcome: 'problem',
    text: /has role_arn, which goes before credential_process$/,
    fix: /^remove role_arn/,
    how: awsConfig((text) => `${text}role_arn = arn:aws:iam::123456789012:role/x\n`),
  },
  {
    name: 'static keys of the same name',
    check: 'AWS credentials',
    outcome: 'problem',
    text: /has static keys for ClaudeCode/,
    fix: /^remove the section \[ClaudeCode\]/,
    how: async ({ home }) => {
      const path = join(home.home, '.aws/credentials');
      await writeFile(
        path,
        `[ClaudeCode]\naws_access_key_id=AKIA${PLANTED}\naws_secret_access_key=${PLANTED}\n`,
      );
      return () => rm(path);
    },
  },
  {
    name: 'keys in the environment',
    check: 'environment',
    outcome: 'problem',
    text: /^AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY are set/,
    fix: /^unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY$/,
    how: nothing,
    run: { env: { AWS_ACCESS_KEY_ID: PLANTED, AWS_SECRET_ACCESS_KEY: PLANTED } },
  },
  {
    name: 'a Bedrock API key in the environment',
    check: 'environment',
    outcome: 'problem',
    text: /^AWS_BEARER_TOKEN_BEDROCK is set/,
    fix: /^unset AWS_BEARER_TOKEN_BEDROCK$/,
    how: nothing,
    run: { env: { AWS_BEARER_TOKEN_BEDROCK: PLANTED } },
  },
  {
    name: 'certificates are not checked',
    check: 'environment',
    outcome: 'warning',
    text: /^NODE_TLS_REJECT_UNAUTHORIZED is 0/,
    fix: /^unset NODE_TLS_REJECT_UNAUTHORIZED; /,
    how: nothing,
    run: { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } },
  },
  {
    name: 'AWS_PROFILE names another profile',
    check: 'environment',
    outcome: 'warning',
    text: /^AWS_PROFILE is work/,
    fix: /^export AWS_PROFILE=ClaudeCode$/,
    how: nothing,
    run: { env: { AWS_PROFILE: 'work' } },
  },
  {
    name: 'Claude Code has no settings',
    check: 'Claude Code',
    outcome: 'warning',
    text: /there is no ~\/\.claude\/settings\.json/,
    fix: /^mkdir -p .*CLAUDE_CODE_USE_BEDROCK/,
    also: ['collector'],
    how: (world) => moved(settingsOf(world)),
  },
  {
    name: 'the settings of Claude Code are no JSON',
    check: 'Claude Code',
    outcome: 'problem',
    text: /is no JSON object/,
    fix: /^correct ~\/\.claude/,
    also: ['collector'],
    how: (world) => changed(settingsOf(world), () => '{'),
  },
  {
    name: 'Claude Code is not told to use Bedrock',
    check: 'Claude Code',
    outcome: 'problem',
    text: /not told to use Bedrock/,
    fix: /"CLAUDE_CODE_USE_BEDROCK": "1"/,
    how: settings(({ env: { CLAUDE_CODE_USE_BEDROCK: _, ...env }, ...rest }) => ({ ...rest, env })),
  },
  {
    name: 'Claude Code uses a profile of others',
    check: 'Claude Code',
    outcome: 'warning',
    text: /uses the profile work/,
    fix: /"AWS_PROFILE": "ClaudeCode"/,
    how: settings((good) => ({ ...good, env: { ...good.env, AWS_PROFILE: 'work' } })),
  },
  {
    name: 'awsAuthRefresh runs a program that is gone',
    check: 'Claude Code',
    outcome: 'problem',
    text: /^awsAuthRefresh runs \/opt\/gone/,
    fix: /"awsAuthRefresh": ".*bedrock-auth login --profile ClaudeCode"/,
    how: settings((good) => ({ ...good, awsAuthRefresh: '/opt/gone login' })),
  },
  {
    name: 'telemetry does not say who it is from',
    check: 'Claude Code',
    outcome: 'warning',
    text: /otelHeadersHelper/,
    fix: /"otelHeadersHelper": ".*otel-helper"/,
    how: settings(({ otelHeadersHelper: _, ...rest }) => rest),
  },
  {
    name: 'telemetry goes over grpc',
    check: 'Claude Code',
    outcome: 'warning',
    text: /grpc/,
    fix: /http\/protobuf/,
    how: settings((good) => ({ ...good, env: { ...good.env, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' } })),
  },
  {
    name: 'the collector does not answer',
    check: 'collector',
    outcome: 'warning',
    text: /nobody listens there/,
    fix: /^curl /,
    how: settings((good) => ({
      ...good,
      env: { ...good.env, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:2' },
    })),
  },
];

/** The daemon goes by config.json as it is, and the sign-in is in use again. */
async function restored({ home }: World): Promise<void> {
  await home.status();
  await home.run(home.program('credential-process'));
}

const notOk = ({ checks }: DoctorReport) => checks.filter(({ outcome }) => outcome !== 'ok');

t.test('doctor finds each fault with its fix and nothing else', async (t) => {
  const { world, doctor, places } = await wellWorld(t);
  const well = await doctor();
  t.strictSame(notOk(well.report), []);
  t.match(well, { status: 0, report: { outcome: 'ok', problems: 0, warnings: 0 } });
  for (const { name, check, outcome, text, fix, also = [], how, run, flags } of BREAKS) {
    await t.test(name, async (t) => {
      const mend = await how(world);
      try {
        const { status, report } = await doctor(run, flags);
        const found = notOk(report);
        const [finding] = found.filter((each) => each.check === check);
        t.match(finding, { outcome, text, fix });
        t.equal(status, report.outcome === 'problem' ? 1 : 0);
        const others = found.filter((each) => each.check !== check && !also.includes(each.check));
        t.strictSame(others, []);
      } finally {
        await mend();
        if (also.includes('sign-in')) await restored(world);
      }
    });
  }
  const secrets = [...world.sandbox.provider.secrets(), ...world.sandbox.aws.secrets()];
  t.strictSame(misplaced(places, secrets), []);
  for (const { bytes } of places) t.notOk(bytes.includes(PLANTED));
});

t.test(
  'doctor reports a missing sign-in, a refused exchange, an older or missing daemon and a broken keyring',
  async (t) => {
    const { world, doctor } = await wellWorld(t);
    const { home } = world;
    const auth = (...args: string[]) => home.run(home.program('bedrock-auth'), args);
    const finding = async (check: string) =>
      notOk((await doctor()).report).filter((each) => each.check === check);

    await auth('logout');
    t.match(await finding('sign-in'), [
      { outcome: 'warning', text: 'nobody is signed in', fix: 'bedrock-auth login --profile ClaudeCode' },
    ]);

    const mend = await config((profile) => {
      profile.identity_pool_id = 'us-east-1:00000000-0000-4000-8000-000000000000';
    })(world);
    await restored(world);
    t.match(await finding('sign-in'), [
      { outcome: 'problem', text: /ERR_AWS_CONFIG/, fix: /identity_pool_id/ },
    ]);
    await mend();

    await home.endDaemon();
    becomeBuild(home.directory, { build: '0.0.1' }, ['daemon']);
    const daemon = home.start(home.program('bedrock-authd'));
    await home.client.ask({ route: 'version', startingMs: 10_000 });
    t.match(await finding('daemon'), [{ outcome: 'warning', text: /^version 0\.0\.1, .*older/ }]);
    daemon.kill();
    await new Promise((resolve) => daemon.once('close', resolve));
    t.strictSame(await finding('daemon'), [], 'without a service none has to run');
    t.equal((await doctor()).status, 0, 'it works without the daemon, and starts none');
    t.match(await finding('sign-in'), [{ outcome: 'skipped' }]);

    await config((profile) => {
      profile.credential_storage = 'keyring';
    })(world);
    t.match(await finding('storage'), [{ outcome: 'problem', text: /^the keyring cannot be used: / }]);
  },
);

t.test('the view fits 80 columns, and the bundle does not name the user', async (t) => {
  const { world } = await wellWorld(t);
  const { home, sandbox } = world;
  const file = join(home.home, 'report.json');
  const view = await home.run(home.program('bedrock-auth'), ['doctor', '--bundle', file]);
  t.equal(view.status, 0);
  t.match(view.stdout, /\nNothing is wrong\.\nWrote .*report\.json/);
  const long = view.stdout.split('\n').filter((line) => line.length > 80 && line.includes(' '));
  t.strictSame(
    long.filter((line) => !line.startsWith('Wrote')),
    [],
  );
  t.notMatch(view.stdout, '\x1b');
  const text = await readFile(file, 'utf8');
  t.equal((await stat(file)).mode & 0o777, 0o600);
  t.match(JSON.parse(text), {
    doctor: { outcome: 'ok' },
    status: { profiles: [{ profile: 'ClaudeCode', user: '(user)' }] },
    profiles: [{ name: 'ClaudeCode' }],
  });
  t.ok((JSON.parse(text) as { log: unknown[] }).log.length > 3);
  t.notMatch(text, 'demo@example.com');
  t.notOk(text.includes(home.home));
  const secrets = [...sandbox.provider.secrets(), ...sandbox.aws.secrets()];
  t.strictSame(misplaced([{ name: 'bundle', bytes: Buffer.from(text) }], secrets), []);
});
