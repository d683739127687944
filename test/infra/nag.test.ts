import { App } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import t from 'tap';
import { createStack } from '../../infra/app.ts';
import { configurations, stacksIn } from './fixtures/configurations.ts';

process.env.CDK_VALIDATION = 'false';

/** Findings of cdk-nag's AwsSolutions that stand, by rule and place, each with the argument for it. */
const ACKNOWLEDGED: Readonly<Record<string, string>> = {
  'auth/AuthenticatedRole IAM5':
    'models are named by pattern, lists have no resource to name, and metrics are limited by namespace; ' +
    'every statement has a condition (bedrock-policy.test.ts)',
  'auth/AuditBucket S1':
    'who reads the trail is recorded by CloudTrail itself; a log of accesses would need a second bucket to guard',
  'monitoring/LoadBalancerSecurityGroup EC23':
    'an internet-facing collector is for people wherever they work; with a domain only valid tokens pass, and ' +
    'an internal one admits private networks only',
  'monitoring/LoadBalancer ELB2':
    'its access log would hold the address of each person every minute, and says less than the telemetry itself',
  'monitoring/Cluster ECS4':
    'Container Insights are paid for by the metric; the load balancer and the service say what alarms need',
  'monitoring/TaskDefinition ECS2':
    'the variable is the configuration, made from typed code; it has no secret, and a change of it is a deployment',
};

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

t.test('cdk-nag finds nothing that is not argued for, and every argument is needed', async (t) => {
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
        t.ok(Object.hasOwn(ACKNOWLEDGED, finding), `${finding} in ${label}`);
      }
    }
  }
  t.strictSame(
    Object.keys(ACKNOWLEDGED).filter((finding) => !used.has(finding)),
    [],
  );
});

t.test('cdk-nag would notice', async (t) => {
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
