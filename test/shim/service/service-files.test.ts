import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { escapeForPlist, escapeForUnit, serviceFile } from '../../../shim/service/service-files.ts';

// test/e2e/systemd.test.ts and test/service-files check that systemd and plistlib read the paths back.
t.test('a path in a unit is escaped for quotes, specifiers, variables and control characters', async (t) => {
  t.equal(escapeForUnit('/home/ada/app'), '/home/ada/app');
  t.equal(escapeForUnit(`/a b/"c"/d\\e`), `/a b/\\"c\\"/d\\\\e`);
  t.equal(escapeForUnit('/100%/$HOME/$$'), '/100%%/$$HOME/$$$$');
  t.equal(escapeForUnit("/it's é/漢"), "/it's é/漢");
  t.equal(escapeForUnit('/a\nb\t\x01\x7f'), '/a\\x0ab\\x09\\x01\\x7f');
});

t.test('a path in a property list is escaped for XML, or refused', async (t) => {
  t.equal(escapeForPlist(`/a & <b> "c" 'd' é`), `/a &amp; &lt;b&gt; &quot;c&quot; 'd' é`);
  for (const path of ['/a\nb', '/a\x00', '/a\x1b', '/a\x7f'])
    t.throws(() => escapeForPlist(path), { code: 'ERR_SERVICE_FAILED' });
});

t.test('every placeholder of a template is replaced by the path', async (t) => {
  const installation = mkdtempSync(join(tmpdir(), 'ccwb-$&-'));
  t.teardown(() => rmSync(installation, { recursive: true }));
  mkdirSync(join(installation, 'service-files'));
  writeFileSync(join(installation, 'service-files/x'), '@INSTALL_DIRECTORY@/a @INSTALL_DIRECTORY@/b');
  t.equal(
    serviceFile({ installation }, 'x', (path) => path),
    `${installation}/a ${installation}/b`,
  );
  t.throws(() => serviceFile({ installation }, 'y', escapeForUnit), {
    code: 'ERR_INSTALL_INCOMPLETE',
    message: /service-files\/y cannot be read \(ENOENT\)/,
  });
});
