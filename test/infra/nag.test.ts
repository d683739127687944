import { App } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import t from 'tap';
import { createStack } from '../../infra/app.ts';
import { codeIn, readText, tableUnder } from '../../tools/docs/pages.ts';
import { configurations, stacksIn } from './fixtures/configurations.ts';

process.env.CDK_VALIDATION = 'false';

/** Findings that stand, by place and rule: those that the documentation argues for. */
const ARGUED = tableUnder(readText('docs/infrastructure.md'), 'Findings that stand').flatMap(([finding]) =>
  codeIn(finding),
);

/** One configuration for each template: the rest would only be the same findings again. */
function distinctStacks() {
  const seen = new Set<string>();
  return configurations().flatMap((configuration) => {
    const { profile } = configuration;
    const { type } = profile.identityProvider;
    return stacksIn(configuration).flatMap(({ stack, label }) => {
      const relevant =
        stack === 'auth' ? { ...profile, monitoring: !!profile.monitoring } : profile.monitoring;
      const key = JSON.stringify([stack, stack === 'auth' ? type : '', relevant]);
      if (seen.has(key)) return [];
      seen.add(key);
      return [{ stack, label, profile }];
    });
  });
}

t.test('every finding of cdk-nag has a reason, and every reason a finding', async (t) => {
  const used = new Set<string>();
  const all = distinctStacks();
  t.ok(all.length > 60, `${all.length} stacks looked at`);
  for (const { stack, label, profile } of all) {
    const app = new App({ outdir: t.testdir(), treeMetadata: false, analyticsReporting: false });
    createStack(app, stack, profile);
    const { violations } = new AwsSolutionsChecks(app).validateScope(app);
    for (const { ruleName, violatingResources } of violations) {
      for (const { constructPath } of violatingResources) {
        const finding = `${constructPath} ${ruleName.replace(/^.*AwsSolutions-/, '').replace(/\[.*$/, '')}`;
        used.add(finding);
        t.ok(ARGUED.includes(finding), `${finding} in ${label}`);
      }
    }
  }
  t.strictSame(
    ARGUED.filter((finding) => !used.has(finding)),
    [],
  );
});

t.test('cdk-nag reports a wrong template', async (t) => {
  const app = new App({ outdir: t.testdir(), treeMetadata: false, analyticsReporting: false });
  const [configuration] = configurations();
  if (!configuration) throw new Error('no configuration');
  const stack = createStack(app, 'auth', configuration.profile);
  const { CfnBucket } = await import('aws-cdk-lib/aws-s3');
  new CfnBucket(stack, 'Planted');
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  t.ok(
    violations.some(({ violatingResources }) =>
      violatingResources.some(({ constructPath }) => constructPath === 'auth/Planted'),
    ),
  );
});
