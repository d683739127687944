import t from 'tap';
import { synthesize } from '../../../infra/app.ts';
import { MONITORINGS } from '../fixtures/configurations.ts';
import { COGNITO, profileOf } from '../fixtures/profiles.ts';
import { ACCOUNT, resolved, resourceAdmits } from '../fixtures/simulate.ts';

process.env.CDK_VALIDATION = 'false';

const REGION = 'eu-central-1';
const TRAIL = `arn:aws:cloudtrail:${REGION}:${ACCOUNT}:trail/ccwb-ClaudeCode-audit`;
const ANALYTICS = { glacierAfterDays: 90, resultsDays: 7 };
const BUCKETS = ['AuditBucket', 'DataBucket', 'ResultsBucket'] as const;
const profile = profileOf('okta', COGNITO, {
  audit: { retentionDays: 90 },
  monitoring: { ...MONITORINGS['new private'], analytics: ANALYTICS },
});

type Template = { Resources: Record<string, { Properties: Record<string, unknown> }> };

function policyOf(folder: string, name: (typeof BUCKETS)[number]): unknown {
  const stack = name === 'AuditBucket' ? 'auth' : 'analytics';
  const { Resources } = synthesize(stack, profile, folder) as Template;
  const document = Resources[`${name}Policy`]?.Properties.PolicyDocument;
  const attributes = Object.fromEntries(
    BUCKETS.flatMap((id) => [
      [id, id.toLowerCase()],
      [`${id}.Arn`, `arn:aws:s3:::${id.toLowerCase()}`],
    ]),
  );
  return resolved(document, REGION, attributes);
}

t.test('the audit bucket admits the deployment\u2019s own trail and nobody else', async (t) => {
  const policy = policyOf(t.testdir(), 'AuditBucket');
  const ask = (
    principal: string,
    action: string,
    path: string,
    context: Record<string, string>,
  ): Promise<boolean> =>
    resourceAdmits(policy, principal, { action, resource: `arn:aws:s3:::auditbucket${path}`, context });
  const own = { 'aws:SourceArn': TRAIL, 'aws:SecureTransport': 'true' };
  const acl = { 's3:x-amz-acl': 'bucket-owner-full-control' };
  const trail = 'cloudtrail.amazonaws.com';
  const log = `/AWSLogs/${ACCOUNT}/CloudTrail/${REGION}/1.json.gz`;
  t.equal(await ask(trail, 's3:GetBucketAcl', '', own), true);
  t.equal(await ask(trail, 's3:PutObject', log, { ...own, ...acl }), true);
  t.equal(await ask(trail, 's3:PutObject', log, own), false, 'without the ACL');
  t.equal(await ask(trail, 's3:PutObject', '/AWSLogs/210987654321/x', { ...own, ...acl }), false);
  const foreign = { ...own, ...acl, 'aws:SourceArn': TRAIL.replace(ACCOUNT, '210987654321') };
  t.equal(await ask(trail, 's3:PutObject', log, foreign), false, 'the trail of another account');
  t.equal(await ask(trail, 's3:PutObject', log, { ...own, ...acl, 'aws:SecureTransport': 'false' }), false);
  t.equal(await ask('firehose.amazonaws.com', 's3:PutObject', log, { ...own, ...acl }), false);
  t.equal(await ask('arn:aws:iam::210987654321:root', 's3:GetObject', log, own), false, 'another account');
});

t.test('no bucket admits a request without TLS, even by an administrator', async (t) => {
  for (const name of BUCKETS) {
    const policy = policyOf(t.testdir(), name);
    const principal = `arn:aws:iam::${ACCOUNT}:role/Admin`;
    const everything = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
    };
    const resource = `arn:aws:s3:::${name.toLowerCase()}/key`;
    for (const [secure, allowed] of [
      ['true', true],
      ['false', false],
    ] as const) {
      const asked = { action: 's3:GetObject', resource, context: { 'aws:SecureTransport': secure } };
      const may = await resourceAdmits(policy, principal, asked, everything);
      t.equal(may, allowed, `${name}, TLS ${secure}`);
    }
  }
});
