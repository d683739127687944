import t, { type Test } from 'tap';
import { policyCharacters } from '../../../infra/profile/access-checks.ts';
import { findProfileProblem } from '../../../infra/profile/check-profile.ts';
import type { InfraProfile } from '../../../infra/profile/profile.ts';
import { authTemplate, COGNITO, MONITORING, only, profileOf } from '../fixtures/profiles.ts';

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

t.test('a list of models limits every statement that names one', async (t) => {
  const models = ['anthropic.claude-*', 'amazon.nova-lite-v1:0'];
  const bedrock = { regions: REGIONS, globalInference: true, models };
  const all = statements(t, { bedrock });
  const listed = [
    arn(':bedrock:*::foundation-model/anthropic.claude-*'),
    arn(':bedrock:*::foundation-model/amazon.nova-lite-v1:0'),
    // Whatever the geography.
    arn(':bedrock:*:ACCOUNT:inference-profile/*.anthropic.claude-*'),
    arn(':bedrock:*:ACCOUNT:inference-profile/*.amazon.nova-lite-v1:0'),
    // A call through one is authorised for the model behind it as well.
    arn(':bedrock:*:ACCOUNT:application-inference-profile/*'),
  ];
  t.strictSame(all[0]?.Resource, listed);
  t.strictSame(all[1]?.Resource, listed);
  t.strictSame(all[3]?.Resource, [
    arn(':bedrock:::foundation-model/anthropic.claude-*'),
    arn(':bedrock:::foundation-model/amazon.nova-lite-v1:0'),
  ]);
});

t.test('the policy of every allowed list of models fits the limit of IAM', async (t) => {
  const idOf = (length: number, index: number): string => `anthropic.${'x'.repeat(length - 12)}${10 + index}`;
  let allowed = 0;
  for (const length of [20, 50, 100]) {
    for (const count of [1, 5, 10]) {
      for (const regionCount of [1, 10, 20, 30]) {
        const models = Array.from({ length: count }, (_, index) => idOf(length, index));
        // As long as the longest name of a region.
        const regions = Array.from({ length: regionCount }, (_, index) => `ap-southeas${letters(index)}-1`);
        const bedrock = { regions, globalInference: true, models };
        const profile = profileOf('okta', COGNITO, { bedrock, monitoring: MONITORING });
        if (findProfileProblem(profile)?.field === 'bedrock.models') continue;
        allowed += 1;
        const characters = resolvedLength(only(authTemplate(t, profile), 'AWS::IAM::Role').Policies);
        const label = `${count} ids of ${length} characters in ${regionCount} regions: ${characters}`;
        t.ok(characters <= policyCharacters(models, regions), label);
        t.ok(characters <= 10_240, label);
      }
    }
  }
  t.ok(allowed > 15 && allowed < 36, `${allowed} of 36 allowed`);
});

function letters(index: number): string {
  return ['', 'a', 'b'][Math.floor(index / 26)] + String.fromCharCode('a'.charCodeAt(0) + (index % 26));
}

/** Length of a policy once CloudFormation has filled in what it knows. */
function resolvedLength(policies: unknown): number {
  const text = JSON.stringify(policies)
    .replaceAll('{"Ref":"AWS::Partition"}', '"aws"')
    .replaceAll('{"Ref":"AWS::AccountId"}', '"123456789012"')
    .replace(
      /\{"Fn::Join":\["",\[([^\]]*)\]\]\}/g,
      (_, parts: string) => `"${parts.replaceAll(/"|,/g, '')}"`,
    );
  if (/Fn::|"Ref"/.test(text)) throw new Error(`not resolved: ${text}`);
  return text.length;
}

t.test(
  'with monitoring, metrics may be written into the deployment\u2019s namespace and no other',
  async (t) => {
    const all = statements(t, { monitoring: MONITORING });
    t.equal(all.length, 4);
    t.strictSame(all[3], {
      Sid: 'PutMetrics',
      Effect: 'Allow',
      Action: 'cloudwatch:PutMetricData',
      Resource: '*',
      Condition: { StringEquals: { 'cloudwatch:namespace': 'ClaudeCode/ClaudeCode' } },
    });
  },
);
