import t from 'tap';
import { buildClaudeSettings } from '../../admin/package/claude-settings.ts';
import { buildPackageFiles } from '../../admin/package/contents.ts';
import { neededPackages } from '../../admin/package/fetch.ts';
import { specOf } from '../../admin/package/npm.ts';
import { findPayload, nativeFiles, readComponents, sharedFiles } from '../../admin/package/payload.ts';
import { PLATFORMS } from '../../admin/package/platforms.ts';
import { readText, tableUnder } from '../../tools/docs/pages.ts';

const PAGE = 'docs/packaging.md';
const payload = findPayload();
const components = readComponents(payload);

t.test(`${PAGE} names every file of a package`, async (t) => {
  const settings = buildClaudeSettings({
    profile: 'Acme',
    region: 'us-east-1',
    collector: undefined,
    claude: {},
  });
  const files = buildPackageFiles({
    source: { name: 'Acme', path: 'Acme.json', config: '{}', settings, notes: [] },
    platform: 'linux-x64',
    components,
    shared: sharedFiles(payload),
    native: nativeFiles(payload, 'linux-x64'),
    runtime: [{ path: 'runtime/bin/node', bytes: Buffer.from(''), executable: true }],
  });
  const names = new Set(files.map(({ path }) => `\`${path.split('/')[1]}\``));
  const documented = tableUnder(readText(PAGE), 'What is in a package').map(([name]) => name ?? '');
  t.strictSame(documented.sort(), [...names].sort());
});

t.test(`${PAGE} fetches all that is needed without a network`, async (t) => {
  const [, section = ''] = readText(PAGE).split('### Without a network');
  const [, command = ''] = /```sh\n([\s\S]*?)```/.exec(section) ?? [];
  const named = command.split(/[\s\\]+/).filter((word) => word.includes('@'));
  t.strictSame(named.sort(), neededPackages(components, PLATFORMS, true).map(specOf).sort());
});
