import t, { type Test } from 'tap';
import type { InfraProfile } from '../../infra/profile.ts';
import { authTemplate, COGNITO, only, profileOf } from './fixtures/profiles.ts';

process.env.CDK_VALIDATION = 'false';

type Statement = {
  Sid: string;
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition: Record<string, Record<string, unknown>>;
};

const REGIONS = ['eu-central-1', 'eu-west-1'];
const IN_REGIONS = { StringEquals: { 'aws:RequestedRegion': REGIONS } };

/** An ARN as the stack writes it: partition, and account where there is one, filled in by CloudFormation. */
function arn(rest: string): unknown {
  const [before = '', after] = rest.split('ACCOUNT');
  const account = after === undefined ? [before] : [before, { Ref: 'AWS::AccountId' }, after];
  return { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ...account]] };
}

const MODELS = [
  arn(':bedrock:*::foundation-model/*'),
  arn(':bedrock:*:ACCOUNT:inference-profile/*'),
  arn(':bedrock:*:ACCOUNT:application-inference-profile/*'),
];

function statements(t: Test, changes: Partial<InfraProfile> = {}): Statement[] {
  const role = only(authTemplate(t, profileOf('okta', COGNITO, changes)), 'AWS::IAM::Role');
  const policies = role.Policies as { PolicyDocument: { Statement: Statement[] } }[];
  t.equal(policies.length, 1);
  t.equal(role.ManagedPolicyArns, undefined);
  return policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

t.test('a user may invoke, read and list models in the configured regions, nothing else', async (t) => {
  t.strictSame(statements(t), [
    {
      Sid: 'InvokeModels',
      Effect: 'Allow',
      Action: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'],
      Resource: MODELS,
      Condition: IN_REGIONS,
    },
    {
      Sid: 'ReadModels',
      Effect: 'Allow',
      Action: ['bedrock:GetFoundationModel', 'bedrock:GetInferenceProfile'],
      Resource: MODELS,
      Condition: IN_REGIONS,
    },
    {
      Sid: 'ListModels',
      Effect: 'Allow',
      Action: [
        'bedrock:CallWithBearerToken',
        'bedrock:ListFoundationModels',
        'bedrock:ListInferenceProfiles',
      ],
      Resource: '*',
      Condition: IN_REGIONS,
    },
  ]);
});

t.test('global inference opens models without a region only through profiles of the regions', async (t) => {
  const all = statements(t, { bedrock: { regions: REGIONS, globalInference: true } });
  t.equal(all.length, 4);
  t.strictSame(all[3], {
    Sid: 'InvokeThroughGlobalProfiles',
    Effect: 'Allow',
    Action: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'],
    Resource: arn(':bedrock:::foundation-model/*'),
    Condition: {
      StringEquals: { 'aws:RequestedRegion': 'unspecified' },
      ArnLike: {
        'bedrock:InferenceProfileArn': [
          arn(':bedrock:eu-central-1:ACCOUNT:inference-profile/global.*'),
          arn(':bedrock:eu-central-1:ACCOUNT:application-inference-profile/*'),
          arn(':bedrock:eu-west-1:ACCOUNT:inference-profile/global.*'),
          arn(':bedrock:eu-west-1:ACCOUNT:application-inference-profile/*'),
        ],
      },
    },
  });
});

t.test('there is no global inference outside the commercial partition', async (t) => {
  const bedrock = { regions: ['us-gov-west-1'], globalInference: true };
  const sids = statements(t, { region: 'us-gov-west-1', bedrock }).map(({ Sid }) => Sid);
  t.strictSame(sids, ['InvokeModels', 'ReadModels', 'ListModels']);
});

t.test('a region named twice is allowed once', async (t) => {
  const bedrock = { regions: ['eu-west-1', 'eu-west-1'], globalInference: false };
  for (const { Condition } of statements(t, { bedrock })) {
    t.strictSame(Condition, { StringEquals: { 'aws:RequestedRegion': ['eu-west-1'] } });
  }
});

t.test('every statement is limited by region', async (t) => {
  for (const statement of statements(t, { bedrock: { regions: REGIONS, globalInference: true } })) {
    t.ok(statement.Condition.StringEquals?.['aws:RequestedRegion'], statement.Sid);
  }
});
