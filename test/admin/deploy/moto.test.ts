import { join } from 'node:path';
import t from 'tap';
import type { DeployReport } from '../../../admin/deploy/deploy.ts';
import type { DestroyedStack } from '../../../admin/deploy/destroy.ts';
import { STACKS, type StackId, stackName } from '../../../infra/outputs.ts';
import { EVERYTHING } from '../../../tools/support/admin-profiles.ts';
import { missing } from '../../../tools/support/find-tool.ts';
import { pythonWithMoto, startMoto } from '../../fixtures/moto.ts';
import { OKTA } from '../fixtures/admin-cloud.ts';
import { ccwb } from '../fixtures/admin-edges.ts';

/**
 * What moto takes for done without making it. That these are right is seen in test/infra (every property) and in
 * the sandbox's CloudFormation, which gives them ids and outputs.
 */
const NOT_CREATED: Partial<Record<StackId, readonly string[]>> = {
  auth: [
    'AWS::Cognito::IdentityPool',
    'AWS::Cognito::IdentityPoolPrincipalTag',
    'AWS::Cognito::IdentityPoolRoleAttachment',
    'AWS::IAM::OIDCProvider',
    'AWS::CloudTrail::Trail',
    'AWS::S3::BucketPolicy',
  ],
  monitoring: ['AWS::ApplicationAutoScaling::ScalableTarget', 'AWS::ApplicationAutoScaling::ScalingPolicy'],
  dashboard: ['AWS::CloudWatch::Alarm', 'AWS::SNS::Subscription', 'AWS::SNS::TopicPolicy'],
  analytics: [
    'AWS::Athena::NamedQuery',
    'AWS::Athena::WorkGroup',
    'AWS::Glue::Database',
    'AWS::Glue::Table',
    'AWS::IAM::RolePolicy',
    'AWS::KinesisFirehose::DeliveryStream',
    'AWS::Logs::LogStream',
    'AWS::Logs::SubscriptionFilter',
  ],
};
const ROLES = 8;

t.test(
  'every stack of a profile is deployed, updated, deployed again without a change, and destroyed',
  { skip: missing({ 'build/moto (moto server)': pythonWithMoto }) },
  async (t) => {
    const moto = await startMoto(t);
    const directory = t.testdir({
      'config.json': JSON.stringify({ profiles: { ClaudeCode: OKTA, Second: OKTA } }),
      'infra.json': JSON.stringify(EVERYTHING),
    });
    const CCWB_CONFIG = join(directory, 'config.json');
    const deploy = `deploy --yes --json --infra ${join(directory, 'infra.json')}`;
    const aws = { endpoint: moto.url, credentials: { accessKeyId: 'moto', secretAccessKey: 'moto' } };
    const run = async (args: string) => {
      const result = await ccwb(args.split(' '), { aws, env: { CCWB_CONFIG } });
      t.equal(result.status, 0, `${args}: ${result.error}`);
      return JSON.parse(result.out);
    };
    const deployed = async (args: string): Promise<DeployReport['stacks']> => (await run(args)).stacks;

    const first = await deployed(deploy);
    const wanted = first.map(({ stack }) => stack);
    t.strictSame(wanted, STACKS, 'in the order of deployment');
    for (const { stack, name, result, changes } of first) {
      t.strictSame({ name, result }, { name: stackName('ClaudeCode', stack), result: 'created' });
      t.ok(changes.length, 'its change set had changes');
    }
    t.strictSame(moto.notCreated(), wanted.flatMap((stack) => NOT_CREATED[stack] ?? []).sort());
    const rolesOf = async (deployment: string): Promise<string[]> =>
      (await moto.roles()).filter((name) => name.startsWith(`ccwb-${deployment}-`));
    t.equal((await rolesOf('ClaudeCode')).length, ROLES, 'the roles are really there');

    // Another deployment beside it has names of its own.
    for (const { result } of await deployed(`${deploy} --profile Second`)) t.equal(result, 'created');
    t.equal((await rolesOf('Second')).length, ROLES);

    const updated = await deployed(`${deploy} --bedrock-regions us-east-1,us-west-2`);
    t.match(
      updated.map(({ stack, result, changes }) => [stack, result, changes]),
      [
        ['auth', 'updated', [{ action: 'Modify', logicalId: 'AuthenticatedRole' }]],
        ['networking', 'unchanged', []],
        ['monitoring', 'unchanged', []],
        ['dashboard', 'updated', [{ action: 'Modify', logicalId: 'Dashboard' }]],
        ['analytics', 'unchanged', []],
      ],
    );
    const again = await deployed(`${deploy} --bedrock-regions us-east-1,us-west-2`);
    for (const { result, name } of again) t.equal(result, 'unchanged', name);

    const { stacks: stood } = await run('status --json');
    for (const { status, name } of stood) {
      t.match(status, /^(CREATE|UPDATE)_COMPLETE$/, name);
    }
    t.match(stood[0].outputs, { RoleArn: /^arn:aws:iam::123456789012:role\/ccwb-ClaudeCode-auth-/ });

    const { stacks: gone } = await run('destroy --yes --json');
    t.strictSame(
      gone.map(({ stack, result }: DestroyedStack) => [stack, result]),
      [...STACKS].reverse().map((stack) => [stack, 'deleted']),
    );
    t.same(
      gone.flatMap(({ keeps }: DestroyedStack) => keeps.map(({ logicalId }) => logicalId)).sort(),
      ['AuditBucket', 'AuditBucketPolicy', 'DataBucket', 'ResultsBucket'],
      'what holds data stays',
    );
    t.equal((await rolesOf('ClaudeCode')).length, 0);
    t.equal((await rolesOf('Second')).length, ROLES, 'the other deployment stays');
    const { stacks: absent } = await run('destroy --yes --json');
    t.strictSame(absent, [], 'nothing is left to delete');
  },
);
