import t from 'tap';
import type { Template } from '../../../../admin/aws/cloudformation-types.ts';
import { grantsIn, permissionLines } from '../../../../admin/deploy/changes/describe-permissions.ts';

const target = { partition: 'aws-us-gov', account: '123456789012', region: 'us-gov-west-1' };

function grants(resources: Record<string, { Type: string; Properties: Record<string, unknown> }>): string[] {
  return [...grantsIn({ Resources: resources } as Template, target)];
}

const allow = (fields: object) => ({ Statement: [{ Effect: 'Allow', ...fields }] });

t.test('the principals and the permissions of a role are described', async (t) => {
  const sentences = grants({
    Users: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: allow({
          Action: 'sts:AssumeRole',
          Principal: {
            Service: 'ecs-tasks.amazonaws.com',
            AWS: {
              'Fn::Join': [
                '',
                ['arn:', { Ref: 'AWS::Partition' }, ':iam::', { Ref: 'AWS::AccountId' }, ':root'],
              ],
            },
          },
          Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' }, NumericLessThan: { 'aws:Age': 5 } },
        }),
        ManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'],
        Policies: [{ PolicyDocument: allow({ NotAction: 'iam:*', NotResource: { 'Fn::Sub': 'prefix-*' } }) }],
      },
    },
  });
  t.strictSame(sentences, [
    'ecs-tasks.amazonaws.com, arn:aws-us-gov:iam::123456789012:root may take the role Users (sts:AssumeRole) where aws:MultiFactorAuthPresent is true and aws:Age NumericLessThan 5',
    'Users may all that arn:aws:iam::aws:policy/ReadOnlyAccess allows',
    'Users may everything but iam:* on everything but prefix-*',
  ]);
});

t.test('permissions of anyone are marked with ANYBODY', async (t) => {
  t.strictSame(
    grants({
      Pool: { Type: 'AWS::Cognito::IdentityPool', Properties: { AllowUnauthenticatedIdentities: true } },
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: { AssumeRolePolicyDocument: allow({ Action: 'sts:AssumeRole', Principal: '*' }) },
      },
      BucketPolicy: {
        Type: 'AWS::S3::BucketPolicy',
        Properties: {
          PolicyDocument: allow({ Action: ['s3:GetObject'], Resource: '*', Principal: { AWS: '*' } }),
        },
      },
    }),
    [
      'ANYBODY, also without a sign-in, gets credentials from Pool',
      'ANYBODY may take the role Role (sts:AssumeRole)',
      'ANYBODY may s3:GetObject on *',
    ],
  );
});

t.test('a policy is described with its role or resource, and a denial as a denial', async (t) => {
  t.strictSame(
    grants({
      Policy: {
        Type: 'AWS::IAM::Policy',
        Properties: {
          Roles: [{ Ref: 'Task' }],
          PolicyDocument: {
            Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: { 'Fn::GetAtt': ['Logs', 'Arn'] } }],
          },
        },
      },
      Key: {
        Type: 'AWS::KMS::Key',
        Properties: {
          KeyPolicy: { Statement: { Effect: 'Allow', Action: 'kms:*', NotPrincipal: { AWS: 'x' } } },
        },
      },
      Invoke: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          Principal: 'logs.amazonaws.com',
          Action: 'lambda:InvokeFunction',
          FunctionName: { Ref: 'Fn' },
        },
      },
      Mapping: {
        Type: 'AWS::Cognito::IdentityPoolRoleAttachment',
        Properties: {
          RoleMappings: {
            oidc: {
              AmbiguousRoleResolution: 'Deny',
              RulesConfiguration: {
                Rules: [
                  {
                    Claim: 'groups',
                    MatchType: 'Contains',
                    Value: 'staff',
                    RoleARN: { 'Fn::GetAtt': ['Task', 'Arn'] },
                  },
                ],
              },
            },
          },
        },
      },
    }),
    [
      'Task may NOT s3:* on Logs',
      'everybody but x may kms:* on Key',
      'logs.amazonaws.com may lambda:InvokeFunction on Fn',
      'whoever has a claim groups that contains staff gets Task',
      'whoever no rule on claims fits gets no role',
    ],
  );
});

t.test('a permission whose condition changes is shown with both conditions', async (t) => {
  const template = (region?: string): Template => ({
    Resources: {
      P: {
        Type: 'AWS::IAM::Policy',
        Properties: {
          Roles: ['R'],
          PolicyDocument: allow({
            Action: 'a:B',
            Resource: '*',
            ...(region && { Condition: { StringEquals: { 'aws:RequestedRegion': region } } }),
          }),
        },
      },
    },
  });
  t.equal(
    permissionLines({ old: template('x'), next: template('y'), target }, undefined),
    '  ~ R may a:B on *\n      - until now where aws:RequestedRegion is x\n      + from now on where aws:RequestedRegion is y\n',
  );
  t.match(
    permissionLines({ old: template('x'), next: template(), target }, undefined),
    /\+ from now on without a condition\n$/,
  );
});

t.test('only differences are shown', async (t) => {
  const template = (action: string): Template => ({
    Resources: {
      P: {
        Type: 'AWS::IAM::Policy',
        Properties: { Roles: ['R'], PolicyDocument: allow({ Action: action, Resource: '*' }) },
      },
    },
  });
  t.equal(permissionLines({ old: template('a:B'), next: template('a:B'), target }, undefined), '');
  t.equal(
    permissionLines({ old: template('a:B'), next: template('a:C'), target }, undefined),
    '  - R may a:B on *\n  + R may a:C on *\n',
  );
});
