import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makePackage } from '../../tools/support/package.ts';
import { emptyHome, PROFILE, treeOf } from '../fixtures/install.ts';
import { NODE_OF_USER, noUserSystemd, startUserSystemd } from '../fixtures/user-systemd.ts';

t.setTimeout(300_000);

const NEWER = '99.0.0';

t.test(
  'the installer registers and upgrades the service if systemd runs',
  { skip: noUserSystemd() },
  async (t) => {
    const empty = await emptyHome(t, { name: '' });
    const files = { 'runtime/bin/node': `#!/bin/sh\nexec ${NODE_OF_USER} "$@"\n` };
    const pack = (name: string, build?: string): string =>
      makePackage(join(empty.home, name), {
        profiles: { ClaudeCode: PROFILE },
        files,
        ...(build === undefined ? {} : { build }),
      });
    const [one, two] = [pack('one'), pack('two', NEWER)];
    const before = treeOf(empty.home);
    const home = await startUserSystemd(t, empty);
    const install = (folder: string, ...args: string[]) => home.run(join(folder, 'install.sh'), args);
    const service = async () =>
      JSON.parse((await home.run(home.program('bedrock-auth'), ['service', 'status', '--json'])).stdout);

    const dry = await install(one, '--dry-run');
    t.match(dry, { status: 0, stderr: '', stdout: /the service \(systemd\)/ });
    t.same(treeOf(empty.home), before);
    t.match(await install(one), { status: 0, stderr: '', stdout: /the service \(systemd\)/ });
    const first = await service();
    t.match(first, { runningBy: 'service', installed: true, enabled: true });
    t.match(await install(one), { status: 0, stdout: /there is nothing to change/ });
    await home.run('kill', ['-TERM', String(first.pid)]);
    t.match(await install(one), { status: 0, stdout: /there is nothing to change/ }, 'the socket waits');

    t.match(await install(two), { status: 0, stderr: '', stdout: /\bdaemon +version 99\.0\.0/ });
    t.match(await service(), { runningBy: 'service', version: NEWER });
    t.match(await install(one, '--no-service'), {
      status: 0,
      stderr: '',
      stdout: /\bdaemon +version 0\.1\.0/,
    });
    t.match(await service(), { runningBy: 'service' }, 'a service that is there goes on');

    const gone = await home.run(home.program('bedrock-auth'), ['uninstall', '--yes']);
    t.match(gone, { status: 0, stderr: '', stdout: /Removed\.\n$/ });
    t.same(treeOf(empty.home), before);

    t.match(await install(one, '--no-service'), { status: 0, stderr: '' });
    t.notOk(existsSync(join(empty.home, '.config')));
  },
);
