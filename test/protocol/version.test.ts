import t from 'tap';
import {
  BUILD_VERSION,
  compareBuilds,
  isOlder,
  PROTOCOL_VERSION,
  parseVersion,
  serves,
  THIS_VERSION,
  VERSION_HEADER,
  versionText,
} from '../../protocol/version.ts';

t.test('versions have the shape that shims compare', async (t) => {
  t.ok(Number.isInteger(PROTOCOL_VERSION) && PROTOCOL_VERSION >= 1);
  t.match(BUILD_VERSION, /^\d+\.\d+\.\d+$/, 'package.json\u2019s; the architecture test compares them');
  t.match(VERSION_HEADER, /^[a-z-]+$/, 'in lower case, as Node gives headers');
});

t.test('a version crosses the socket as text', async (t) => {
  t.strictSame(parseVersion(versionText(THIS_VERSION)), THIS_VERSION);
  t.strictSame(parseVersion('12/1.2.3-rc.1+build'), { protocol: 12, build: '1.2.3-rc.1+build' });
  for (const text of [undefined, ['1/1'], '', '1', '/1.0.0', 'x/1.0.0', '1/', '1/a b', '-1/1.0.0', '1/é'])
    t.equal(parseVersion(text), undefined, String(text));
});

t.test('the current protocol and the one before are served', async (t) => {
  t.strictSame(
    [0, 1, 2, 3, 4, 5].filter((asked) => serves(3, asked)),
    [2, 3],
  );
});

t.test('builds are compared by the precedence of Semantic Versioning', async (t) => {
  // The order of https://semver.org/#spec-item-11, with numbers that text would sort otherwise.
  const ordered = [
    ...['0.9.10', '0.10.0', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta'],
    ...['1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.0.1', '1.2.0', '1.10.0', '2.0.0'],
  ];
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries())
      t.equal(Math.sign(compareBuilds(a, b)), Math.sign(i - j), `${a} and ${b}`);
  }
  t.equal(compareBuilds('1.0.0+one', '1.0.0+two'), 0, 'build metadata does not count');
  for (const text of ['', '1.0', 'v1.0.0', 'latest', '1.0.0-', '1.0.0-a..b'])
    t.equal(compareBuilds(text, '9.9.9'), 0, `${text} is no version`);
});

t.test('only a later build that speaks no older protocol replaces the daemon', async (t) => {
  const own = { protocol: 2, build: '1.1.0' };
  t.equal(isOlder({ protocol: 2, build: '1.0.0' }, own), true);
  t.equal(isOlder({ protocol: 1, build: '1.0.0' }, own), true);
  t.equal(isOlder({ protocol: 2, build: '1.1.0-rc.1' }, own), true);
  t.equal(isOlder({ protocol: 3, build: '1.0.0' }, own), false);
  t.equal(isOlder({ protocol: 2, build: '1.1.0' }, own), false);
  t.equal(isOlder({ protocol: 1, build: '1.1.0' }, own), false, 'builds that do not differ');
  t.equal(isOlder({ protocol: 2, build: '1.2.0' }, own), false);
  t.equal(isOlder({ protocol: 2, build: 'unknown' }, own), false);
  t.equal(isOlder(THIS_VERSION), false);
});
