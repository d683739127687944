import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { RegistryPackage } from '../../../admin/package/platforms.ts';
import { cacheFolder, checkGivenTarballs, obtainTarball } from '../../../admin/package/registry-packages.ts';
import { until } from '../../fixtures/until.ts';

const CONTENT = 'the tarball';
const NAME = 'scope-thing-1.2.3.tgz';

const what = (content = CONTENT): RegistryPackage => ({
  name: '@scope/thing',
  version: '1.2.3',
  integrity: `sha512-${createHash('sha512').update(content).digest('base64')}`,
});

/** A machine whose npm is this script; it keeps what npm was called with, one line for each time. */
function machine(t: Test, script: string) {
  const home = t.testdir({ bin: {}, cache: {} });
  const npm = join(home, 'bin', 'npm');
  writeFileSync(npm, `#!/bin/sh\necho "$@ in $PWD" >>'${home}/calls'\n${script}\n`);
  chmodSync(npm, 0o755);
  const env = { PATH: `${home}/bin:/usr/bin:/bin`, HOME: home, XDG_CACHE_HOME: join(home, 'cache') };
  const interruption = new AbortController();
  const cache = join(home, 'cache', 'ccwb');
  return {
    env,
    interruption,
    obtain: (pack = what(), given?: string) =>
      obtainTarball(pack, given, { env, interrupted: interruption.signal, now: Date.now }),
    calls: () =>
      existsSync(`${home}/calls`) ? readFileSync(`${home}/calls`, 'utf8').trimEnd().split('\n') : [],
    cache,
    cached: () => readdirSync(cache),
    home,
  };
}

const PACKS = `printf '%s' '${CONTENT}' >${NAME}`;

t.test('a package is fetched once into a temporary folder and then read from the cache', async (t) => {
  const { obtain, calls, cached } = machine(t, PACKS);
  const first = await obtain();
  t.equal(first.origin, 'registry');
  t.equal(Buffer.from(first.tarball).toString(), CONTENT);
  t.strictSame(cached(), [NAME], 'and the folder is gone');
  t.equal((await obtain()).origin, 'cache');
  t.equal(calls().length, 1);
  t.match(calls()[0], /^pack @scope\/thing@1\.2\.3 --ignore-scripts .* in .*\/cache\/ccwb\/fetch-/);
});

t.test('the folder of a killed fetch is removed by a later fetch after a day', async (t) => {
  const { obtain, cache, cached } = machine(t, PACKS);
  for (const name of ['fetch-old', 'fetch-new']) mkdirSync(join(cache, name), { recursive: true });
  utimesSync(join(cache, 'fetch-old'), new Date(0), new Date(0));
  await obtain();
  t.strictSame(cached().sort(), ['fetch-new', NAME]);
});

t.test('a damaged file in the cache is fetched again', async (t) => {
  const { obtain, cache, calls } = machine(t, PACKS);
  await obtain();
  writeFileSync(join(cache, NAME), 'damaged');
  t.equal((await obtain()).origin, 'registry');
  t.equal(readFileSync(join(cache, NAME), 'utf8'), CONTENT);
  t.equal(calls().length, 2);
});

t.test('a tarball with another hash than the pinned one is refused and not kept', async (t) => {
  const { obtain, cached } = machine(t, PACKS);
  await t.rejects(obtain(what('another')), {
    code: 'ERR_INTEGRITY',
    message:
      'what the registry has as @scope/thing@1.2.3 has another hash than the pinned one; nothing was made of it',
  });
  t.strictSame(cached(), []);
});

t.test('errors of npm are reported by their code with a fix', async (t) => {
  const cases = [
    [
      `echo 'npm error code ENOTFOUND' >&2; exit 1`,
      /\(ENOTFOUND\)$/,
      /^check the network.* --runtime-dir \(docs\/packaging\.md\)$/,
    ],
    [`echo 'npm ERR! code ECONNREFUSED' >&2; exit 1`, /\(ECONNREFUSED\)$/, /^check the network/],
    [`echo 'npm error code E404' >&2; exit 1`, /\(E404\)$/, /^choose a registry/],
    [`echo 'npm error code E401' >&2; exit 1`, /\(E401\)$/, /^sign npm in/],
    [
      `echo 'token abc123' >&2; exit 9`,
      /^npm could not fetch @scope\/thing@1\.2\.3 \(exit status 9\)$/,
      /network/,
    ],
    ['exit 0', /\(exit status 0\)$/, /network/],
  ] as const;
  for (const [script, message, fix] of cases) {
    const { obtain, cached } = machine(t, script);
    await t.rejects(obtain(), { code: 'ERR_DOWNLOAD', message, fix });
    t.strictSame(cached(), []);
  }
});

t.test('a missing npm is reported', async (t) => {
  const { env, interruption } = machine(t, PACKS);
  await t.rejects(
    obtainTarball(what(), undefined, {
      env: { ...env, PATH: '/nowhere' },
      interrupted: interruption.signal,
      now: Date.now,
    }),
    { code: 'ERR_DOWNLOAD', message: /there is none on the PATH$/, fix: /^install npm/ },
  );
});

t.test('an interruption ends npm and leaves nothing behind', async (t) => {
  const { obtain, interruption, calls, cached } = machine(t, `${PACKS}; exec sleep 600`);
  const obtaining = obtain();
  await until(() => calls().length > 0);
  interruption.abort();
  await t.rejects(obtaining, { code: 'ERR_INTERRUPTED' });
  t.strictSame(cached(), []);
});

t.test('a folder of tarballs replaces the registry', async (t) => {
  const { obtain, calls, cache } = machine(t, PACKS);
  const given = t.testdir({ [NAME]: CONTENT });
  t.equal((await obtain(what(), given)).origin, 'given');
  await t.rejects(obtain(what('another'), given), {
    code: 'ERR_INTEGRITY',
    message: /scope-thing-1\.2\.3\.tgz has/,
  });
  t.strictSame(calls(), []);
  t.notOk(existsSync(cache));
});

t.test('files missing in the folder are reported together with the command that fetches them', async (t) => {
  const given = t.testdir({ [NAME]: CONTENT });
  const others = ['node-a', 'node-b'].map((name) => ({ ...what(), name }));
  checkGivenTarballs([what()], given);
  t.throws(() => checkGivenTarballs([what(), ...others], given), {
    code: 'ERR_DOWNLOAD',
    message: `${given} has no node-a-1.2.3.tgz, node-b-1.2.3.tgz`,
    fix: /: npm pack node-a@1\.2\.3 node-b@1\.2\.3$/,
  });
});

t.test('a cache that cannot be written is reported with its path', async (t) => {
  const { env, home, interruption } = machine(t, PACKS);
  const file = join(home, 'file');
  writeFileSync(file, '');
  await t.rejects(
    obtainTarball(what(), undefined, {
      env: { ...env, XDG_CACHE_HOME: file },
      interrupted: interruption.signal,
      now: Date.now,
    }),
    {
      code: 'ERR_OUTPUT',
      message: `the cache ${file}/ccwb cannot be written (ENOTDIR)`,
      fix: /XDG_CACHE_HOME/,
    },
  );
});

t.test('the cache is in XDG_CACHE_HOME, else in the folder of ccwb', async (t) => {
  t.equal(cacheFolder({ XDG_CACHE_HOME: '/var/cache/ada', HOME: '/home/ada' }), '/var/cache/ada/ccwb');
  t.equal(cacheFolder({ XDG_CACHE_HOME: 'relative', HOME: '/home/ada' }), '/home/ada/.ccwb/cache');
  t.equal(cacheFolder({ CCWB_HOME: '/srv/ccwb' }), '/srv/ccwb/cache');
});
