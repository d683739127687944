import type { ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { approveDevice, signInOverHttp } from '../../../sandbox/browser/browserless.ts';
import { missing } from '../../../tools/support/find-tool.ts';
import { writeSums } from '../../../tools/support/package.ts';
import { pythonWithMoto, startMoto } from '../../fixtures/moto.ts';
import { until } from '../../fixtures/until.ts';
import { ccwb } from '../fixtures/admin-edges.ts';
import { type Ended, MODEL, startTestWorld, type World } from '../fixtures/test-world.ts';

/** Every file of the administrator's home, with its time: nobody may even have written the same. */
function snapshot({ home }: World): string[] {
  return readdirSync(home, { recursive: true, encoding: 'utf8' })
    .filter((path) => !/^(opened|away|work)/.test(path))
    .map((path) => {
      const { mode, mtimeMs, size } = lstatSync(join(home, path));
      return `${path} ${mode} ${path === 'tmp' ? '' : `${mtimeMs} ${size}`}`;
    })
    .sort();
}

const results = ({ rows }: Ended): Record<string, string> =>
  Object.fromEntries(Object.entries(rows).map(([step, { result }]) => [step, result]));

const failed = ({ rows }: Ended): string[] =>
  Object.keys(rows).filter((step) => rows[step]?.result === 'failed');

/** Nothing is left of a test, whatever came of it. */
function nothingLeft(t: Test, world: World, before: string[]): void {
  t.strictSame(world.leftFolders(), [], 'no temporary folder');
  t.strictSame(world.leftPrograms(), [], 'no program');
  t.strictSame(snapshot(world), before, 'the administrator’s home is untouched');
}

t.test('a good package passes every step, in the browser of the administrator', async (t) => {
  const world = await startTestWorld(t, { collector: 'trusting' });
  world.pack();
  const before = snapshot(world);
  const ended = await world.test(['--api']);
  t.equal(ended.status, 0, ended.error + ended.out);
  t.strictSame(
    Object.entries(results(ended)).filter(([, result]) => result !== 'ok'),
    [],
  );
  t.strictSame(Object.keys(ended.rows), [
    ...['package', 'archive', 'installation', 'sign-in', 'credentials', 'identity', 'role'],
    ...['models us-east-1', 'invoke us-east-1', 'models eu-central-1', 'invoke eu-central-1'],
    ...['telemetry', 'collector', 'status', 'doctor', 'sign-out', 'uninstall', 'clean-up'],
  ]);
  const { rows } = ended;
  t.equal(rows['invoke us-east-1']?.detail, `${MODEL} answered (22 tokens)`);
  t.match(rows['invoke eu-central-1']?.detail, /^eu\.anthropic/, 'the same model as that region has it');
  t.equal(rows.role?.detail, 'BedrockSandboxRole, session CognitoIdentityCredentials');
  t.match(rows['sign-out']?.detail, /ended at the identity provider too/);
  t.strictSame(
    world.collector?.exports
      .map(({ path, status }) => `${path} ${status}`)
      .filter((one) => one.startsWith('/v1')),
    ['/v1/metrics 200', '/v1/logs 200', '/v1/metrics 401'],
  );
  t.equal(readFileSync(join(world.home, 'opened'), 'utf8'), `${world.home} ${world.home}/run\n`);
  nothingLeft(t, world, before);

  const said = ended.out + ended.error;
  const secrets = [...world.sandbox.aws.secrets(), ...world.sandbox.provider.secrets()]
    // Those two stand in the address of the page.
    .filter(({ kind }) => kind !== 'state' && kind !== 'nonce');
  t.strictSame(
    secrets.filter(({ value }) => said.includes(value)).map(({ kind }) => kind),
    [],
    'no secret is shown',
  );
});

t.test(
  'a sign-in with a code and direct federation work, and shared parts of the machine are not used',
  async (t) => {
    const world = await startTestWorld(t, {
      federation: 'direct',
      collector: 'absent',
      config: {
        credential_storage: 'keyring',
        container_credentials_port: 9911,
        allowed_programs: ['/bin/ls'],
      },
      sandbox: { aws: { regions: ['us-east-1'] } },
    });
    world.pack();
    const before = snapshot(world);
    let approved: Promise<unknown> | undefined;
    const ended = await world.test(['--device'], {
      onSay: (said) => {
        const [address] = /http\S+user_code=\S+(?=\n)/.exec(said) ?? [];
        if (address !== undefined) approved ??= approveDevice(address);
      },
    });
    await approved;
    const { rows } = ended;
    t.match(rows.installation?.detail, /without the keyring, container credentials, allowed_programs$/);
    t.equal(rows.role?.detail, 'BedrockSandboxRole, session demo@example.com');
    t.match(rows['invoke us-east-1'], { result: 'skipped', detail: /^only with --api/ });
    nothingLeft(t, world, before);

    // A collector that is not there, and a region that is not the account's.
    t.equal(ended.status, 1);
    t.strictSame(failed(ended), ['models eu-central-1', 'collector']);
    t.match(rows['models eu-central-1']?.detail, /InvalidSignatureException/);
    t.match(rows.collector?.detail, /does not answer \(.*ECONNREFUSED/);
    t.match(rows.doctor?.detail, /^no problem; collector: /);
  },
);

t.test('each fault fails its own row and the other steps still run', async (t) => {
  const world = await startTestWorld(t, {
    collector: 'refusing',
    roleArn: 'arn:aws:iam::123456789012:role/Another',
    sandbox: { aws: { regionsWithoutModels: ['eu-central-1'] } },
  });
  world.pack();
  const before = snapshot(world);
  const ended = await world.test(['--api']);
  t.equal(ended.status, 1);
  t.strictSame(failed(ended), ['role', 'invoke eu-central-1', 'collector']);
  const { rows } = ended;
  t.match(
    rows.role?.detail,
    /are of arn:aws:sts::123456789012:assumed-role\/BedrockSandboxRole\/.* to get arn:aws:iam::123456789012:role\/Another$/,
  );
  t.match(rows['invoke eu-central-1'], {
    detail: /AccessDeniedException: User: /,
    fix: /has called the model once/,
  });
  t.match(rows.collector, { detail: /does not take telemetry: status 401$/, fix: /client id/ });
  t.match(
    ended.error,
    /ccwb: 3 of 18 steps failed: role, invoke eu-central-1, collector \(ERR_TEST_FAILED\)\n {2}fix: /,
  );
  nothingLeft(t, world, before);
});

t.test('a failed sign-in is reported and everything is removed', async (t) => {
  const world = await startTestWorld(t);
  world.pack();
  const before = snapshot(world);

  await t.test('an unreachable provider fails the sign-in', async (t) => {
    await world.sandbox.provider.stop();
    const ended = await world.test();
    await world.sandbox.provider.start();
    t.equal(ended.status, 1);
    t.match(ended.rows['sign-in'], { result: 'failed', code: 'ERR_PROVIDER_UNREACHABLE' });
    t.match(ended.rows.credentials, { result: 'skipped', detail: 'sign-in failed' });
    t.match(ended.rows.doctor, { result: 'failed', detail: /provider: / });
    t.match(ended.rows.uninstall, { result: 'ok' });
    nothingLeft(t, world, before);
  });

  writeFileSync(join(world.home, 'away'), '');
  /** Sends a signal to the test, once, when it waits for a person. */
  const whileWaiting = (signal: NodeJS.Signals) => {
    let sent = false;
    return (said: string, program: ChildProcess): void => {
      if (sent || !said.includes('Waiting for the sign-in')) return;
      sent = true;
      program.kill(signal);
    };
  };

  await t.test('Ctrl-C during the wait ends the test', async (t) => {
    const ended = await world.test([], { onSay: whileWaiting('SIGINT') });
    t.equal(ended.status, 1);
    t.match(ended.rows['sign-in'], { result: 'failed', code: 'ERR_INTERRUPTED' });
    t.match(ended.rows.doctor, { result: 'skipped', detail: 'interrupted' });
    t.match(ended.rows.uninstall, { result: 'ok' });
    t.match(ended.error, /interrupted; nothing is left of the test \(ERR_INTERRUPTED\)/);
    nothingLeft(t, world, before);
  });

  await t.test(
    'the next run removes the folder of a killed one, and a missing sign-in times out',
    async (t) => {
      const killed = await world.test([], { onSay: whileWaiting('SIGKILL') });
      t.equal(killed.status, null);
      t.equal(world.leftFolders().length, 1);
      await until(() => world.leftPrograms().length > 0);
      const ended = await world.test(['--timeout', '1']);
      t.match(ended.error, /^removed \S+\/ccwb-test-\w+, which an earlier test has left\n/);
      t.equal(ended.status, 1);
      t.match(ended.rows['sign-in'], { result: 'failed', detail: 'nobody signed in within 1 s' });
      nothingLeft(t, world, before);
    },
  );
});

t.test('a package that the deployment does not know fails at its step', async (t) => {
  const unknown = { identityPoolId: 'us-east-1:00000000-0000-4000-8000-000000000000' };
  for (const [options, step, code] of [
    [{ config: { client_id: 'nobody' } }, 'sign-in', 'ERR_PROVIDER_REJECTED'],
    [unknown, 'credentials', 'ERR_AWS_CONFIG'],
  ] as const) {
    await t.test(code, async (t) => {
      const world = await startTestWorld(t, options);
      world.pack();
      const ended = await world.test();
      t.equal(ended.status, 1);
      t.match(ended.rows[step], { result: 'failed', code }, ended.out);
      t.strictSame(world.leftFolders(), []);
      t.strictSame(world.leftPrograms(), []);
    });
  }
});

t.test('a damaged package and one for another platform are reported', async (t) => {
  const world = await startTestWorld(t);
  const before = snapshot(world);
  const rowsOf = async (...args: string[]): Promise<Ended['rows']> => {
    const { status, rows } = await world.test(args);
    t.equal(status, 1);
    t.strictSame(rows['clean-up']?.result, 'ok');
    return rows;
  };

  const archive = world.pack();
  truncateSync(archive, 100_000);
  const cut = await rowsOf();
  t.match(cut.archive, { code: 'ERR_PACKAGE_INVALID', detail: /^tar does not unpack \S+: \S/ });
  t.match(cut['models in all regions'], { result: 'skipped', detail: 'archive failed' });

  writeFileSync(join(archive, '../SHA256SUMS'), `${'0'.repeat(64)}  ${basename(archive)}\n`);
  t.match((await rowsOf()).package, { detail: /SHA256SUMS beside it has another checksum/ });

  const changed = world.pack({ change: (folder) => appendFileSync(join(folder, 'shim/install.js'), '\n') });
  t.match((await rowsOf('--package', changed)).installation, {
    code: 'ERR_PACKAGE_INVALID',
    detail: 'the package is damaged: shim/install.js is not as it was packed',
  });

  world.pack({
    change: (folder) => {
      const prebuilds = join(folder, 'daemon/node_modules/keytar/prebuilds');
      const [own = '', ...others] = readdirSync(prebuilds);
      for (const other of others) rmSync(join(prebuilds, other), { recursive: true });
      renameSync(join(prebuilds, own), join(prebuilds, 'plan9-mips'));
      writeSums(folder);
    },
  });
  t.match((await rowsOf()).installation, { detail: /^this package is for plan9-mips, and this machine is / });
  t.match((await rowsOf('--package', '/nowhere')).package, { detail: /^there is no \/nowhere/ });
  nothingLeft(t, world, before);
});

t.test('wrong flags are reported and no test starts', async (t) => {
  for (const [args, said] of [
    [['--timeout', '0'], /--timeout is "0"; allowed: seconds from 1 to 3600/],
    [['--profile', 'Other'], /no profile/],
    [['--what'], /unknown option/],
  ] as const) {
    const { status, error, out } = await ccwb(['test', ...args]);
    t.not(status, 0);
    t.match(error, said);
    t.equal(out, '');
  }
});

t.test(
  'STS of moto, which verifies no tokens, returns the requested role and session',
  { skip: missing({ moto: pythonWithMoto }) },
  async (t) => {
    const moto = await startMoto(t);
    const world = await startTestWorld(t, { federation: 'direct', config: { sts_endpoint: moto.url } });
    world.pack();
    const ended = await world.test([], { env: { AWS_ENDPOINT_URL_STS: moto.url } });
    t.match(results(ended), { credentials: 'ok', identity: 'ok', role: 'ok' }, ended.out);
  },
);

t.test('without a package a complete one is made for the test and removed afterwards', async (t) => {
  const world = await startTestWorld(t);
  let signedIn: Promise<unknown> | undefined;
  // As an administrator's npm has them.
  const npm = Object.entries(process.env).filter(([name]) => /^npm_config_|^https?_proxy$/i.test(name));
  const settings = { npm_config_userconfig: join(homedir(), '.npmrc'), ...Object.fromEntries(npm) };
  const ended = await world.test(['--no-browser'], {
    env: { ...settings, XDG_CACHE_HOME: join(world.home, 'work') } as Record<string, string>,
    onSay: (said) => {
      const [address] = /^ {2}(http\S+)$/m.exec(said) ?? [];
      if (address !== undefined) signedIn ??= signInOverHttp(address.trim());
    },
  });
  await signedIn;
  t.equal(ended.status, 0, ended.out + ended.error);
  t.match(ended.rows.package?.detail, 'made for this test');
  t.notOk(existsSync(join(world.home, 'work/dist')));
  t.strictSame(world.leftFolders(), []);
  t.strictSame(world.leftPrograms(), []);
});
