import { join } from 'node:path';
import t from 'tap';
import type { DeployReport } from '../../admin/deploy-command.ts';
import type { DestroyedStack } from '../../admin/destroy.ts';
import { STACKS, type StackId, stackName } from '../../infra/outputs.ts';
import { pythonWithMoto, startMoto } from '../fixtures/moto.ts';
import { missing } from '../fixtures/tools.ts';
import { OKTA } from './fixtures/admin-cloud.ts';
import { ccwb } from './fixtures/admin-io.ts';

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
  ],
};

t.test(
  'every stack of a profile is deployed, updated, deployed again without a change, and destroyed',
  { skip: missing({ 'build/moto (moto server)': pythonWithMoto }) },
  async (t) => {
    const moto = await startMoto(t);
    const CCWB_CONFIG = join(
      t.testdir({ 'config.json': JSON.stringify({ profiles: { ClaudeCode: OKTA, Second: OKTA } }) }),
      'config.json',
    );
    const aws = { endpoint: moto.url, credentials: { accessKeyId: 'moto', secretAccessKey: 'moto' } };
    const run = async (args: string) => {
      const result = await ccwb(args.split(' '), { aws, env: { CCWB_CONFIG } });
      t.equal(result.status, 0, `${args}: ${result.error}`);
      return JSON.parse(result.out);
    };
    const deployed = async (args: string): Promise<DeployReport['stacks']> => (await run(args)).stacks;

    const first = await deployed('deploy --yes --json');
    const wanted = first.map(({ stack }) => stack);
    t.strictSame(
      STACKS.filter((stack) => wanted.includes(stack)),
      wanted,
      'in the order of deployment',
    );
    for (const { stack, name, result, changes } of first) {
      t.strictSame({ name, result }, { name: stackName('ClaudeCode', stack), result: 'created' });
      t.ok(changes.length, 'its change set had changes');
    }
    t.strictSame(moto.notCreated(), [...wanted.flatMap((stack) => NOT_CREATED[stack] ?? [])].sort());
    t.match(await moto.roles(), [/^ccwb-ClaudeCode-auth-AuthenticatedRole-/], 'the role is really there');

    // Another deployment beside it has names of its own.
    for (const { result } of await deployed('deploy --yes --json --profile Second'))
      t.equal(result, 'created');
    t.equal((await moto.roles()).length, 2);

    const updated = await deployed('deploy --yes --json --bedrock-regions us-east-1,us-west-2');
    t.match(updated[0], {
      result: 'updated',
      changes: [{ action: 'Modify', logicalId: 'AuthenticatedRole' }],
    });
    const again = await deployed('deploy --yes --json --bedrock-regions us-east-1,us-west-2');
    for (const { result, name } of again) t.equal(result, 'unchanged', name);

    const { stacks: stood } = await run('status --json');
    for (const { status, name, stack } of stood) {
      t.match(status, wanted.includes(stack) ? /^(CREATE|UPDATE)_COMPLETE$/ : 'NOT_DEPLOYED', name);
    }
    t.match(stood[0].outputs, { RoleArn: /^arn:aws:iam::123456789012:role\/ccwb-ClaudeCode-auth-/ });

    const { stacks: gone } = await run('destroy --yes --json');
    t.strictSame(
      gone.map(({ stack, result }: DestroyedStack) => [stack, result]),
      [...STACKS].reverse().map((stack) => [stack, wanted.includes(stack) ? 'deleted' : 'absent']),
    );
    t.match(await moto.roles(), [/^ccwb-Second-/], 'the other deployment stays');
    const { stacks: absent } = await run('destroy --yes --json');
    for (const { result, name } of absent) t.equal(result, 'absent', name);
  },
);
