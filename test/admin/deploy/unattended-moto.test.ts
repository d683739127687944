import { join } from 'node:path';
import t from 'tap';
import type { DeployReport } from '../../../admin/deploy/deploy.ts';
import type { DestroyedStack } from '../../../admin/deploy/destroy.ts';
import type { AdminProfile } from '../../../admin/profiles/admin-profile.ts';
import { readProfile, writeProfile } from '../../../admin/profiles/profile-store.ts';
import { ANALYTICS_OUTPUTS, AUTH_OUTPUTS, STACKS } from '../../../infra/outputs.ts';
import { EVERYTHING, PROFILE } from '../../../tools/support/admin-profiles.ts';
import { missing } from '../../../tools/support/find-tool.ts';
import { pythonWithMoto, startMoto } from '../../fixtures/moto.ts';
import { shell } from '../fixtures/program.ts';

const COMPLETE: AdminProfile = { ...PROFILE, infra: EVERYTHING };

/** More than S3 lists, and deletes, at once. */
const OBJECTS = 1_010;

t.test(
  'the real program deploys, updates and destroys a profile against moto',
  { skip: missing({ 'build/moto (moto server)': pythonWithMoto }) },
  async (t) => {
    const moto = await startMoto(t);
    const env = {
      CCWB_HOME: join(t.testdir(), 'ccwb'),
      AWS_ENDPOINT_URL: moto.url,
      AWS_ACCESS_KEY_ID: 'moto',
      AWS_SECRET_ACCESS_KEY: 'moto',
    };
    writeProfile(COMPLETE, env);
    const run = async (line: string): Promise<string> => {
      const { status, out, error } = await shell(line, env);
      t.equal(status, 0, `${line}: ${error}`);
      return out;
    };

    const [deployed = '', status = ''] = (
      await run('ccwb deploy --yes --json && echo == && ccwb status --json')
    ).split('==\n');
    const report = JSON.parse(deployed) as DeployReport;
    t.strictSame(
      report.stacks.map(({ stack, result }) => [stack, result]),
      STACKS.map((stack) => [stack, 'created']),
    );
    const { outputs } = readProfile('ClaudeCode', env);
    t.strictSame(
      outputs,
      Object.fromEntries(report.stacks.map(({ stack, outputs: given }) => [stack, given])),
    );
    t.match(JSON.parse(status), { account: '123456789012', outdated: [] });

    const bucket = outputs.analytics?.[ANALYTICS_OUTPUTS.dataBucketName] ?? '';
    const s3 = s3At(moto.url);
    await s3('PUT', `${bucket}?versioning`, VERSIONED);
    await Promise.all(
      Array.from({ length: OBJECTS / 2 }, (_, index) => s3('PUT', `${bucket}/data/${index}`, 'v1')),
    );
    // Every object a second time, and one deleted: an old version of each, and a mark.
    await Promise.all(
      Array.from({ length: OBJECTS / 2 }, (_, index) => s3('PUT', `${bucket}/data/${index}`, 'v2')),
    );
    await s3('DELETE', `${bucket}/data/0`);
    // moto does not know RetainExceptOnCreate and deletes a bucket with its stack, unless something is in it.
    await s3('PUT', `${outputs.auth?.[AUTH_OUTPUTS.auditBucketName]}/AWSLogs/1`, 'a trail');

    const kept = JSON.parse(await run('ccwb destroy dashboard auth --force --json'));
    const audit = kept.stacks.at(-1) as DestroyedStack;
    t.match(audit, { stack: 'auth', result: 'deleted', deletedBuckets: [] });
    const [auditBucket] = audit.left;
    t.match(auditBucket, {
      type: 'AWS::S3::Bucket',
      remove: /^ccwb destroy --profile \S+ --delete-bucket \S+$/,
    });
    t.equal((await s3('HEAD', auditBucket?.physicalId ?? '')).status, 200, 'what holds data stays');

    const { out, error, status: ended } = await shell('ccwb destroy --force --delete-data', env);
    t.equal(ended, 0, error);
    t.match(error, /\nAnd after it, WITH EVERYTHING IN THEM:\n {2}- DataBucket \(S3 Bucket\) /);
    t.match(error, `bucket ${bucket} deleted, with ${OBJECTS + 1} objects that were in it\n`);
    t.match(out, /^ccwb-ClaudeCode-analytics {2}deleted\n/);
    t.equal((await s3('HEAD', bucket)).status, 404);
    t.strictSame(readProfile('ClaudeCode', env), COMPLETE);
    t.equal(await run('ccwb destroy --force --delete-data'), '', 'and once more is no error');
  },
);

/** Only the provider is not asked: company.okta.com is nobody's. */
const ANSWERS = `
profile: Research
provider-domain: company.okta.com
client-id: 0oa1example
aws-region: us-east-1
geographies: [us]
credential-storage: session
`;

t.test(
  'an unattended ccwb init reads a file of answers and gets the account from moto',
  { skip: missing({ 'build/moto (moto server)': pythonWithMoto }) },
  async (t) => {
    const moto = await startMoto(t);
    const home = t.testdir({ 'answers.yaml': ANSWERS });
    const env = {
      CCWB_HOME: join(home, 'ccwb'),
      AWS_ENDPOINT_URL: moto.url,
      AWS_ACCESS_KEY_ID: 'moto',
      AWS_SECRET_ACCESS_KEY: 'moto',
      FILE: join(home, 'answers.yaml'),
    };
    const { status, out, error } = await shell(
      'ccwb init --answers "$FILE" --no-check-provider --yes && ccwb deploy --yes && ccwb status --json && ccwb destroy --force',
      env,
    );
    t.equal(status, 0, error);
    t.match(error, /account 123456789012/);
    t.match(
      out,
      /^ccwb-Research-auth {2}created\n.*"profile": "Research".*\nccwb-Research-auth {2}deleted\n/s,
    );
    t.strictSame(readProfile('Research', env).outputs, {});
  },
);

const VERSIONED = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';

/** S3 as moto plays it, without signatures. */
function s3At(url: string) {
  // Which service is meant, moto reads from the scope of the signature.
  const authorization =
    'AWS4-HMAC-SHA256 Credential=moto/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=none';
  return (method: string, path: string, body?: string): Promise<Response> =>
    fetch(`${url}/${path}`, { method, headers: { authorization }, ...(body === undefined ? {} : { body }) });
}
