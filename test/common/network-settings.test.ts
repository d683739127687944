import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  maskProxy,
  networkSettingsFrom,
  proxyUrl,
  readNetworkSettings,
  removeNetworkSettings,
  writeNetworkSettings,
} from '../../common/network-settings.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { shortDirectory } from '../daemon/fixtures/sockets.ts';

const SETTINGS = {
  HTTPS_PROXY: 'http://user:pass-word@proxy.example.com:3128',
  NO_PROXY: 'localhost,.example.com',
  NODE_EXTRA_CA_CERTS: '/etc/company/ca.pem',
};

function errorOf(action: () => unknown): CcwbError {
  try {
    action();
  } catch (error) {
    if (error instanceof CcwbError) return error;
    throw error;
  }
  throw new Error('no error');
}

t.test('written settings are read back, and the file is for this user only', async (t) => {
  const path = join(shortDirectory(t), 'network.json');
  t.strictSame(readNetworkSettings(path), {}, 'no file is no setting');
  t.equal(writeNetworkSettings(path, SETTINGS), true);
  t.strictSame(readNetworkSettings(path), SETTINGS);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(writeNetworkSettings(path, SETTINGS), false, 'the same again changes nothing');
  writeNetworkSettings(path, { NO_PROXY: '*' });
  t.strictSame(readNetworkSettings(path), { NO_PROXY: '*' }, 'what is not named any more is gone');
});

t.test('unknown names in network.json are kept', async (t) => {
  const path = join(shortDirectory(t), 'network.json');
  writeFileSync(path, '\uFEFF{"HTTPS_PROXY":"http://old:1","FUTURE":{"a":1}}');
  t.strictSame(readNetworkSettings(path), { HTTPS_PROXY: 'http://old:1' });
  writeNetworkSettings(path, { NO_PROXY: 'localhost' });
  t.strictSame(JSON.parse(readFileSync(path, 'utf8')), { NO_PROXY: 'localhost', FUTURE: { a: 1 } });
});

t.test('written settings are removed, and those of a person stay', async (t) => {
  const directory = shortDirectory(t);
  const ours = join(directory, 'ours.json');
  writeNetworkSettings(ours, SETTINGS);
  t.equal(removeNetworkSettings(ours), true);
  t.notOk(existsSync(ours));
  t.equal(removeNetworkSettings(ours), false);

  const added = join(directory, 'added.json');
  writeNetworkSettings(added, SETTINGS);
  writeFileSync(added, JSON.stringify({ ...JSON.parse(readFileSync(added, 'utf8')), MINE: 1 }));
  t.equal(removeNetworkSettings(added), true);
  t.strictSame(JSON.parse(readFileSync(added, 'utf8')), { MINE: 1 });

  const theirs = join(directory, 'theirs.json');
  writeFileSync(theirs, JSON.stringify({ HTTPS_PROXY: 'http://proxy:1' }));
  writeNetworkSettings(theirs, SETTINGS);
  t.equal(removeNetworkSettings(theirs), false);
  t.strictSame(readNetworkSettings(theirs), SETTINGS);
});

t.test('a wrong value names file, field and what is allowed, and no password', async (t) => {
  const path = join(shortDirectory(t), 'network.json');
  const cases: [unknown, RegExp][] = [
    [
      { HTTPS_PROXY: 'socks5://user:pass-word@h:1' },
      /HTTPS_PROXY: must be an http or https URL.*socks5:\/\/\*\*\*@h/,
    ],
    [{ HTTP_PROXY: 'user:pass-word@:' }, /HTTP_PROXY: must be .* received "\*\*\*@:"$/],
    [{ HTTPS_PROXY: 'http://h:1\n' }, /HTTPS_PROXY: must be text without control characters/],
    [{ NO_PROXY: ['a'] }, /NO_PROXY: must be text, received object$/],
    [{ NODE_EXTRA_CA_CERTS: 'ca.pem' }, /NODE_EXTRA_CA_CERTS: must be an absolute path, received "ca\.pem"$/],
    [[], /must be an object$/],
    [null, /must be an object$/],
  ];
  for (const [content, message] of cases) {
    writeFileSync(path, JSON.stringify(content));
    const error = errorOf(() => readNetworkSettings(path));
    t.match(error, { code: 'ERR_CONFIG_INVALID', message });
    t.ok(error.message.startsWith(`${path}: `));
    t.notMatch(`${error.message} ${error.fix}`, 'pass-word');
  }
  writeFileSync(path, '{"HTTPS_PROXY":"http://user:pass-word@h:1"');
  const broken = errorOf(() => readNetworkSettings(path));
  t.match(broken, { code: 'ERR_CONFIG_INVALID', message: /not valid JSON$/ });
  t.equal(errorOf(() => writeNetworkSettings(path, SETTINGS)).code, 'ERR_CONFIG_INVALID');
  t.match(readFileSync(path, 'utf8'), /^\{"HTTPS_PROXY"/, 'a damaged file is not replaced');
  const unreadable = errorOf(() => readNetworkSettings(shortDirectory(t)));
  t.match(unreadable, { code: 'ERR_CONFIG_INVALID', message: /cannot be read \(EISDIR\)/ });
});

t.test('null and empty text count as absent', async (t) => {
  const path = join(shortDirectory(t), 'network.json');
  writeFileSync(path, JSON.stringify({ HTTPS_PROXY: null, NO_PROXY: '' }));
  t.strictSame(readNetworkSettings(path), {});
});

t.test('variables in lower case override those in upper case, and an empty one means none', async (t) => {
  t.strictSame(networkSettingsFrom({ https_proxy: 'http://low:1', HTTPS_PROXY: 'http://up:1' }), {
    HTTPS_PROXY: 'http://low:1',
  });
  t.strictSame(networkSettingsFrom({ https_proxy: '', HTTPS_PROXY: 'http://up:1' }), {});
  t.strictSame(networkSettingsFrom({ HTTP_PROXY: 'proxy:3128', no_proxy: '*', NODE_EXTRA_CA_CERTS: '/ca' }), {
    HTTP_PROXY: 'proxy:3128',
    NO_PROXY: '*',
    NODE_EXTRA_CA_CERTS: '/ca',
  });
  t.strictSame(networkSettingsFrom({ node_extra_ca_certs: '/ca', PATH: '/bin' }), {});
  t.strictSame(networkSettingsFrom({ NODE_EXTRA_CA_CERTS: 'ca.pem' }), {
    NODE_EXTRA_CA_CERTS: join(process.cwd(), 'ca.pem'),
  });
});

t.test('a value that the daemon cannot use is refused without showing its password', async (t) => {
  const error = errorOf(() => networkSettingsFrom({ https_proxy: 'socks5://user:pass-word@h:1' }));
  t.match(error, { code: 'ERR_USAGE', message: /HTTPS_PROXY is "socks5:\/\/\*\*\*@h:1"/ });
  t.notMatch(`${error.message} ${error.fix}`, 'pass-word');
});

t.test('a proxy is shown without user and password', async (t) => {
  t.equal(maskProxy('http://proxy:3128'), 'http://proxy:3128');
  t.equal(maskProxy('http://user:p@ss@proxy:3128/'), 'http://***@proxy:3128/');
  t.equal(maskProxy('user:pass@proxy:3128'), '***@proxy:3128');
  t.equal(maskProxy('HTTPS://user@proxy'), 'HTTPS://***@proxy');
  t.equal(maskProxy('http://user:a\nb@proxy'), 'http://***@proxy');
});

t.test('a proxy without a scheme is an http one', async (t) => {
  t.equal(proxyUrl('proxy:3128')?.href, 'http://proxy:3128/');
  t.equal(proxyUrl('https://proxy')?.href, 'https://proxy/');
  t.equal(proxyUrl('http://'), undefined);
});
