import t from 'tap';
import {
  deployPolicy,
  MAX_POLICY_CHARACTERS,
  policyCharacters,
} from '../../../admin/permissions/deploy-policy.ts';
import { RESOURCE_ACTIONS } from '../../../admin/permissions/resource-actions.ts';
import { STACKS } from '../../../infra/outputs.ts';
import { configurations, stacksIn } from '../../infra/fixtures/configurations.ts';
import { jsonOf, type TemplateJson } from '../../infra/fixtures/templates.ts';
import { startProfileCloud } from '../fixtures/admin-cloud.ts';

process.env.CDK_VALIDATION = 'false';

t.test(
  'every type of resource in any template has its actions, and no type is listed for nothing',
  async (t) => {
    const found = new Set<string>();
    const seen = new Set<string>();
    const largest = new Map<string, number>();
    for (const configuration of configurations()) {
      const { profile } = configuration;
      for (const { stack } of stacksIn(configuration)) {
        const key = JSON.stringify([
          stack,
          stack === 'auth' ? [profile.audit, profile.federation.type] : profile.monitoring,
        ]);
        if (seen.has(key)) continue;
        seen.add(key);
        const template: TemplateJson = jsonOf(t, stack, profile);
        for (const { Type } of Object.values(template.Resources)) found.add(Type);
        const size = policyCharacters(deployPolicy([template], 'aws'));
        largest.set(stack, Math.max(size, largest.get(stack) ?? 0));
      }
    }
    t.strictSame([...found].sort(), Object.keys(RESOURCE_ACTIONS).sort());
    for (const stack of STACKS)
      t.ok((largest.get(stack) ?? 0) < MAX_POLICY_CHARACTERS, `${stack}: ${largest.get(stack)}`);
  },
);

t.test('the first use of a service in an account may create its service-linked role', async (t) => {
  const Resources = {
    Service: { Type: 'AWS::ECS::Service' },
    Balancer: { Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer' },
    Target: { Type: 'AWS::ApplicationAutoScaling::ScalableTarget' },
  };
  t.match(deployPolicy([{ Resources }], 'aws-us-gov').Statement.at(-1), {
    Action: ['iam:CreateServiceLinkedRole'],
    Resource: ['arn:aws-us-gov:iam::*:role/aws-service-role/*'],
    Condition: {
      StringEquals: {
        'iam:AWSServiceName': [
          'ecs.amazonaws.com',
          'ecs.application-autoscaling.amazonaws.com',
          'elasticloadbalancing.amazonaws.com',
        ],
      },
    },
  });
});

t.test('ccwb deploy --print-permissions prints the policy without AWS', async (t) => {
  const { ccwb, aws } = await startProfileCloud(t);
  const { status, out, error } = await ccwb('deploy auth --print-permissions');
  t.strictSame({ status, error }, { status: 0, error: '' });
  const { Statement } = JSON.parse(out);
  t.match(Statement.map(({ Sid }: { Sid: string }) => Sid).slice(0, 4), [
    'Stacks',
    'Drift',
    'CognitoIdentity',
    'Iam',
  ]);
  t.ok(Statement[0].Action.includes('cloudformation:DescribeEvents'));
  t.equal(aws.calls.length, 0);
});
