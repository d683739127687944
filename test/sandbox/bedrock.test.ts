import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import t from 'tap';
import { invokeModel } from '../../admin/aws/bedrock-invoke.ts';
import { listModels } from '../../admin/aws/bedrock-models.ts';
import { createAwsTransport } from '../../network/aws-transport.ts';
import { setUp, stsClient } from './support.ts';

const run = promisify(execFile);
const aws = '/usr/bin/aws';

t.test('the AWS CLI names the caller', { skip: !existsSync(aws) && 'no AWS CLI' }, async (t) => {
  const { sandbox, getCredentials } = await setUp(t);
  const credentials = await getCredentials();
  const env = {
    PATH: process.env.PATH,
    AWS_ACCESS_KEY_ID: credentials.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.SecretKey,
    AWS_SESSION_TOKEN: credentials.SessionToken,
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  };
  const command = ['--region', 'us-east-1', '--endpoint-url', sandbox.aws.url, 'sts', 'get-caller-identity'];
  const { stdout } = await run(aws, [...command, '--output', 'json'], { env });
  t.match(JSON.parse(stdout), { Account: '123456789012', Arn: /CognitoIdentityCredentials$/ });
  sandbox.aws.expireAllCredentials();
  const refused = await run(aws, command, { env }).catch((error: unknown) => error);
  t.match(refused, { stderr: /\(ExpiredToken\)/ });
});

t.test('models answer requests that an SDK signed, and name the caller', async (t) => {
  const { sandbox, getCredentials } = await setUp(t);
  const good = await getCredentials();
  const model = encodeURIComponent('us.anthropic.claude-sonnet-4-20250514-v1:0');

  /** Signs with the SDK's own signer, as its Bedrock client would. */
  async function call(path: string, input?: object, credentials = good) {
    const { config } = stsClient(t, sandbox, credentials);
    const signer = await config.signer({
      name: 'sigv4',
      signingName: 'bedrock',
      signingRegion: 'us-east-1',
      properties: {},
    });
    const { hostname, port, host } = new URL(sandbox.aws.url);
    const body = input === undefined ? {} : { body: JSON.stringify(input) };
    const method = input === undefined ? 'GET' : 'POST';
    const headers = { host, 'content-type': 'application/json' };
    const request = {
      protocol: 'http:',
      hostname,
      port: Number(port),
      method,
      path,
      query: {},
      headers,
      ...body,
    };
    const signed = await signer.sign(request);
    const response = await fetch(sandbox.aws.url + path, { method, headers: signed.headers, ...body });
    const type = response.headers.get('x-amzn-errortype');
    return { status: response.status, type, body: await response.json() };
  }

  t.match(await call('/foundation-models'), {
    status: 200,
    body: { modelSummaries: [{ providerName: 'Anthropic' }] },
  });
  const messages = [{ role: 'user', content: 'hello' }];
  const input = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 10, messages };
  t.match(await call(`/model/${model}/invoke`, input), {
    status: 200,
    body: { type: 'message', content: [{ text: /CognitoIdentityCredentials/ }], stop_reason: 'end_turn' },
  });
  t.match(await call(`/model/${model}/converse`, { messages }), {
    status: 200,
    body: {
      output: { message: { content: [{ text: /CognitoIdentityCredentials/ }] } },
      stopReason: 'end_turn',
    },
  });
  t.match(await call(`/model/${model}/invoke`, { messages }), { status: 400, type: /^ValidationException/ });
  t.match(await call('/model/unknown/invoke', input), {
    status: 400,
    body: { message: /identifier is invalid/ },
  });
  t.match(await call('/foundation-models', undefined, { ...good, SecretKey: 'x' }), {
    status: 403,
    body: { __type: 'InvalidSignatureException' },
  });
  t.match(await call('/foundation-models', undefined, { ...good, AccessKeyId: 'ASIAX' }), {
    status: 403,
    body: { __type: 'UnrecognizedClientException' },
  });
  sandbox.aws.expireAllCredentials();
  t.match(await call('/foundation-models'), { status: 403, body: { __type: 'ExpiredTokenException' } });
});

t.test('each region has the inference profiles of its geography, and may have no models', async (t) => {
  const regions = ['us-east-1', 'eu-central-1'];
  const { sandbox, getCredentials } = await setUp(t, {
    aws: { regions, regionsWithoutModels: ['eu-central-1'] },
  });
  const { AccessKeyId = '', SecretKey = '', SessionToken = '' } = await getCredentials();
  const settings = {
    endpoint: sandbox.aws.url,
    credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretKey, sessionToken: SessionToken },
    maxAttempts: 1,
    // The SDK's own speaks HTTP/2 to this service.
    requestHandler: createAwsTransport(fetch),
  };
  const never = new AbortController().signal;
  for (const [region, geography] of [
    ['us-east-1', 'us'],
    ['eu-central-1', 'eu'],
  ] as const) {
    const { inferenceProfiles, foundationModels } = await listModels(settings, region, never);
    t.strictSame([...new Set(inferenceProfiles.map((id) => id.split('.')[0]))], [geography, 'global']);
    t.equal(foundationModels.length, 2);
  }
  const haiku = 'anthropic.claude-3-5-haiku-20241022-v1:0';
  t.equal(await invokeModel(settings, 'us-east-1', `us.${haiku}`, never), 22);
  await t.rejects(invokeModel(settings, 'us-east-1', `eu.${haiku}`, never), { name: 'ValidationException' });
  await t.rejects(invokeModel(settings, 'eu-central-1', `eu.${haiku}`, never), {
    name: 'AccessDeniedException',
  });
  await t.rejects(listModels(settings, 'ap-south-1', never), { name: 'InvalidSignatureException' });
});
