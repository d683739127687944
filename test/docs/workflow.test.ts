import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { ROOT, repositoryFiles } from '../../tools/docs/pages.ts';
import { findTool, missing } from '../../tools/support/find-tool.ts';

/** `.ci/run` installs it there. */
const actionlint = findTool(join(ROOT, 'build/bin/actionlint'), '/usr/local/bin/actionlint');

t.test('actionlint accepts every workflow', { skip: missing({ actionlint }) }, async (t) => {
  const workflows = repositoryFiles('.github/workflows');
  t.ok(workflows.length > 0);
  for (const path of workflows) {
    const { status, stdout } = spawnSync(actionlint ?? '', ['-no-color', path], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    t.equal(status, 0, `${path}\n${stdout}`);
  }
});
