import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { awsCli, missing, pythonWithBoto3 } from '../../tools/support/find-tool.ts';
import { startWorld, type World } from '../fixtures/world.ts';

const CALLER_IDENTITY = fileURLToPath(new URL('../../tools/support/caller-identity.js', import.meta.url));

const BOTO3 = `
import boto3, json, sys
session = boto3.Session(profile_name='ClaudeCode')
reply = session.client('sts', endpoint_url=sys.argv[1]).get_caller_identity()
print(json.dumps({'Arn': reply['Arn']}))
`;

/** STS verified the signature with the very secret that was issued: the role of the sandbox's pool. */
function isDemoRole(t: Test, world: World, stdout: string): void {
  const { Arn } = JSON.parse(stdout) as { Arn: string };
  t.match(Arn, /^arn:aws:sts::\d{12}:assumed-role\/.+\/CognitoIdentityCredentials$/);
  t.equal(world.sandbox.provider.counts.codeExchanges, 1, 'one sign-in');
}

t.test(
  'the AWS CLI gets credentials through credential_process',
  { skip: missing({ 'the AWS CLI': awsCli }) },
  async (t) => {
    const world = await startWorld(t);
    const call = [
      'sts',
      'get-caller-identity',
      '--profile',
      'ClaudeCode',
      '--output',
      'json',
      '--endpoint-url',
      world.sandbox.aws.url,
    ];
    const first = await world.home.run(awsCli ?? '', call);
    t.equal(first.status, 0, first.stderr);
    isDemoRole(t, world, first.stdout);
    t.equal((await world.home.run(awsCli ?? '', call)).status, 0);
    t.equal((await world.home.openedPages()).length, 1, 'one page');
    t.equal(world.sandbox.aws.count('GetId'), 1, 'one GetId');
  },
);

t.test(
  'boto3 gets credentials through credential_process',
  { skip: missing({ 'Python with boto3': pythonWithBoto3 }) },
  async (t) => {
    const world = await startWorld(t);
    const { status, stdout, stderr } = await world.home.run(pythonWithBoto3 ?? '', [
      '-c',
      BOTO3,
      world.sandbox.aws.url,
    ]);
    t.equal(status, 0, stderr);
    isDemoRole(t, world, stdout);
  },
);

t.test('the AWS SDK for JavaScript gets credentials through credential_process', async (t) => {
  const world = await startWorld(t);
  const { status, stdout, stderr } = await world.home.run(process.execPath, [
    CALLER_IDENTITY,
    world.sandbox.aws.url,
    'ClaudeCode',
  ]);
  t.equal(status, 0, stderr);
  isDemoRole(t, world, stdout);
});
