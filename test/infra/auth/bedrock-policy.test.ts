import t, { type Test } from 'tap';
import { policyCharacters } from '../../../infra/profile/bedrock-checks.ts';
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

const INVOKE = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'];
const ANY_MODEL = arn(':bedrock:*::foundation-model/*');
const OWN_PROFILES = arn(':bedrock:*:ACCOUNT:application-inference-profile/*');

function statements(t: Test, changes: Partial<InfraProfile> = {}): Statement[] {
  const role = only(authTemplate(t, profileOf('okta', COGNITO, changes)), 'AWS::IAM::Role');
  const policies = role.Policies as { PolicyDocument: { Statement: Statement[] } }[];
  t.equal(policies.length, 1);
  t.equal(role.ManagedPolicyArns, undefined);
  return policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

t.test('a user may call and list models from the configured regions, nothing else', async (t) => {
  t.strictSame(statements(t), [
    {
      Sid: 'UseModels',
      Effect: 'Allow',
      Action: [...INVOKE, 'bedrock:CountTokens', 'bedrock:GetFoundationModel', 'bedrock:GetInferenceProfile'],
      Resource: [ANY_MODEL, arn(':bedrock:*:ACCOUNT:inference-profile/eu.*'), OWN_PROFILES],
      Condition: IN_REGIONS,
    },
    {
      Sid: 'InvokeThroughGeographies',
      Effect: 'Allow',
      Action: INVOKE,
      Resource: ANY_MODEL,
      Condition: {
        ArnLike: {
          'bedrock:InferenceProfileArn': [
            arn(':bedrock:eu-central-1:ACCOUNT:inference-profile/eu.*'),
            arn(':bedrock:eu-central-1:ACCOUNT:application-inference-profile/*'),
            arn(':bedrock:eu-west-1:ACCOUNT:inference-profile/eu.*'),
            arn(':bedrock:eu-west-1:ACCOUNT:application-inference-profile/*'),
          ],
        },
        StringNotEquals: { 'aws:RequestedRegion': 'unspecified' },
      },
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

t.test('each choice adds its own statement', async (t) => {
  const sids = (bedrock: Partial<InfraProfile['bedrock']>, region = 'eu-central-1'): string[] =>
    statements(t, {
      region,
      bedrock: { regions: [region], geographies: [], globalInference: false, ...bedrock },
    }).map(({ Sid }) => Sid);
  t.strictSame(sids({}), ['UseModels', 'ListModels']);
  const globalInference = true;
  t.strictSame(sids({ globalInference }), ['UseModels', 'InvokeThroughGlobalProfiles', 'ListModels']);
  t.strictSame(sids({ globalInference }, 'us-gov-west-1'), ['UseModels', 'ListModels']);
  const opted = sids({ guardrail: { id: 'gr1', version: '1' }, mantle: true });
  t.strictSame(opted, ['UseModels', 'ListModels', 'ApplyGuardrail', 'UseMantle']);
});

t.test('a region named twice is allowed once', async (t) => {
  const regions = ['eu-west-1', 'eu-west-1'];
  const bedrock = { regions, geographies: [], globalInference: false };
  for (const { Condition } of statements(t, { bedrock })) {
    t.strictSame(Condition, { StringEquals: { 'aws:RequestedRegion': ['eu-west-1'] } });
  }
});

t.test('the policy of every allowed list of models fits the limit of IAM', async (t) => {
  const idOf = (length: number, index: number): string => `anthropic.${'x'.repeat(length - 12)}${10 + index}`;
  let allowed = 0;
  for (const length of [20, 50, 100]) {
    for (const count of [1, 5, 10]) {
      for (const regionCount of [1, 5, 10, 20]) {
        const models = Array.from({ length: count }, (_, index) => idOf(length, index));
        // Each with a name as long as the longest, and served by two geographies.
        const regions = Array.from(
          { length: regionCount },
          (_, index) => ['ap-southeast-2', 'ap-southeast-4'][index % 2] ?? '',
        );
        const bedrock = {
          regions,
          geographies: ['au', 'apac'] as const,
          globalInference: true,
          guardrail: { id: 'x'.repeat(32), version: '1' },
          mantle: true,
          models,
        };
        const profile = profileOf('okta', COGNITO, { bedrock, monitoring: MONITORING });
        if (['bedrock.models', 'bedrock.regions'].includes(findProfileProblem(profile)?.field ?? ''))
          continue;
        allowed += 1;
        const characters = resolvedLength(only(authTemplate(t, profile), 'AWS::IAM::Role').Policies);
        const label = `${count} ids of ${length} characters in ${regionCount} regions: ${characters}`;
        t.ok(characters <= policyCharacters(bedrock), label);
        t.ok(characters <= 10_240, label);
      }
    }
  }
  t.ok(allowed > 15 && allowed < 36, `${allowed} of 36 allowed`);
});

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
