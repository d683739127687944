import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findPayload, nativeFiles, readComponents, sharedFiles } from '../../../admin/package/payload.ts';
import {
  nodeName,
  PLATFORMS,
  RUNTIME_VERSION,
  RUNTIMES,
  targetPlatforms,
} from '../../../admin/package/platforms.ts';
import { ROOT } from '../../../tools/docs/pages.ts';

t.test('a target is all platforms, a system or one platform', async (t) => {
  t.strictSame(targetPlatforms('all'), PLATFORMS);
  t.strictSame(targetPlatforms('macos'), ['macos-arm64', 'macos-x64']);
  t.strictSame(targetPlatforms('linux'), ['linux-arm64', 'linux-x64']);
  t.strictSame(targetPlatforms('linux-x64'), ['linux-x64']);
  for (const word of ['windows', '', 'mac', 'linux-', 'Linux', 'x64']) {
    t.throws(() => targetPlatforms(word), {
      code: 'ERR_USAGE',
      message: /allowed: all, macos, linux, macos-arm64/,
    });
  }
});

t.test('the Node.js in packages is the version of config.runtime in package.json', async (t) => {
  const { config } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  t.equal(RUNTIME_VERSION, config.runtime);
  for (const platform of PLATFORMS) {
    t.match(RUNTIMES[platform], { version: RUNTIME_VERSION, integrity: /^sha512-[A-Za-z0-9+/]{86}==$/ });
  }
});

t.test('the build contains the native files of every platform that are not fetched', async (t) => {
  const payload = findPayload();
  const { fetched } = readComponents(payload);
  const names = sharedFiles(payload).map(({ path }) => path);
  t.notOk(names.some((path) => path.includes('node_modules')));
  for (const platform of PLATFORMS) {
    t.equal(fetched[nodeName(platform)]?.name, `@koromix/koffi-${nodeName(platform)}`);
    const native = nativeFiles(payload, platform).map(({ path }) => path);
    t.ok(native.includes(`daemon/node_modules/keytar/prebuilds/${nodeName(platform)}/keytar.node`), platform);
    t.equal(native.filter((path) => path.endsWith('.node')).length, 1, 'and nothing of another platform');
  }
});

t.test('a program without the payload of packages is reported as incomplete', async (t) => {
  t.throws(() => findPayload(t.testdir({ a: { b: {} } })), {
    code: 'ERR_INSTALL_INCOMPLETE',
    fix: /npm run build/,
  });
});
