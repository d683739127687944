import t from 'tap';
import { codeIn, readText, tableUnder } from '../../tools/docs/pages.ts';

const PAGE = readText('docs/deploy.md');
const CLIENT = readText('admin/aws/cloudformation.ts');

t.test('docs/deploy.md names every permission that ccwb needs and no other', async (t) => {
  const called = [...CLIENT.matchAll(/sdk\.(?:paginate(\w+)|(\w+)Command)\(/g)].map(
    ([, paged, single]) => `cloudformation:${paged ?? single}`,
  );
  t.ok(called.length > 5, 'the calls are found in the source');
  const documented = tableUnder(PAGE, 'Permissions for deploying').flatMap(([actions]) => codeIn(actions));
  t.strictSame(documented.sort(), [...new Set(called)].sort());
});

t.test('docs/deploy.md names every state that a deployment brings back, and every question', async (t) => {
  const source = [
    'admin/deploy/prepare-stack.ts',
    'admin/deploy/changes/show-changes.ts',
    'admin/deploy/deploy.ts',
    'admin/deploy/destroy.ts',
  ]
    .map(readText)
    .join('');
  const states = new Set(
    source.match(/\b(?:CREATE|UPDATE|DELETE|ROLLBACK|UPDATE_ROLLBACK|REVIEW)_[A-Z_]+\b/g),
  );
  for (const state of states) {
    if (!/^(CREATE|UPDATE|DELETE)_COMPLETE$/.test(state)) t.match(PAGE, `\`${state}\``);
  }
  for (const [, question = ''] of source.matchAll(/confirm\(\s*[`']([^`']+\?)[`']/g)) {
    t.match(PAGE, `\`${question.replace(/\$\{[\w.]+\}/, 'NAME')}\``);
  }
});
