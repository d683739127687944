import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { commandLinkOf, isOurCommandLink } from '../../../shim/installation/command-link.ts';

t.test('a link is ours if it leads to bedrock-auth of this installation', async (t) => {
  const home = t.testdir({ 'claude-code-with-bedrock': {}, elsewhere: {} });
  const installation = join(home, 'claude-code-with-bedrock');
  symlinkSync(installation, join(home, 'alias'));
  const link = commandLinkOf({ paths: { installDirectory: installation }, installation });
  t.equal(link.path, join(home, '.local/bin/bedrock-auth'));
  t.equal(isOurCommandLink(link), false, 'there is none');
  mkdirSync(dirname(link.path), { recursive: true });
  const here = process.cwd();
  t.teardown(() => process.chdir(here));
  // What a relative link means has nothing to do with where somebody stands.
  process.chdir(installation);
  for (const [target, ours] of [
    [link.target, true],
    [join(home, 'alias/bedrock-auth'), true],
    ['../../claude-code-with-bedrock/bedrock-auth', true],
    ['bedrock-auth.mine', false],
    ['./bedrock-auth', false],
    [join(installation, 'otel-helper'), false],
    [join(home, 'elsewhere/bedrock-auth'), false],
  ] as const) {
    symlinkSync(target, link.path);
    t.equal(isOurCommandLink(link), ours, target);
    rmSync(link.path);
  }
});
