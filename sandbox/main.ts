import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { AwsEndpoints } from './aws/aws-endpoints.ts';
import { startSandbox } from './sandbox.ts';

const help = `Runs an identity provider and AWS endpoints on this machine, for trying things by hand.

Usage: node main.js [options]

  --provider-port N        port of the identity provider (default: any free port)
  --aws-port N             port of the AWS endpoints (default: any free port)
  --redirect-port N        port of the sign-in callback (default: 8400)
  --id-token-seconds N     lifetime of ID tokens (default: 3600)
  --credential-seconds N   lifetime of AWS credentials (default: 3600)
  --device-code-seconds N  lifetime of codes for signing in on another device
                           (default: 600)
  --config FILE            write a config.json with the profiles Sandbox and SandboxDirect
  --admin FILE             write shell lines with credentials of an administrator and
                           the AWS endpoints, for trying ccwb
  --help                   show this text
`;

const flags = readFlags();
if (flags.help) process.stdout.write(help);
else await run();

async function run(): Promise<void> {
  const sandbox = await startSandbox({
    provider: {
      ...whole('port', flags['provider-port']),
      ...whole('idTokenSeconds', flags['id-token-seconds']),
      ...whole('deviceCodeSeconds', flags['device-code-seconds']),
      redirectPorts: [wholeNumber(flags['redirect-port'] ?? '8400')],
    },
    aws: {
      ...whole('port', flags['aws-port']),
      ...whole('credentialSeconds', flags['credential-seconds']),
    },
  });
  if (flags.config !== undefined) {
    const profiles = {
      Sandbox: sandbox.profile(),
      SandboxDirect: sandbox.profile({ federation_type: 'direct' }),
    };
    writeFileSync(flags.config, `${JSON.stringify({ profiles }, undefined, 2)}\n`);
  }
  const { provider, aws } = sandbox;
  if (flags.admin !== undefined) {
    // One step per request: progress is as slow as in a real account.
    aws.stacks.stepsPerLook = 1;
    aws.stacks.lag = { maxMs: 3_000, random: Math.random };
    writeFileSync(flags.admin, administrator(aws), { mode: 0o600 });
  }
  const user = provider.users[0];
  process.stdout.write(`identity provider   ${provider.issuer}
  client id         ${provider.clientId}
  sign in as        ${user?.username} / ${user?.password}
AWS endpoints       ${aws.url}  (Cognito identity, STS, Bedrock, CloudFormation)
  identity pool     ${aws.identityPoolId}
  role              ${aws.roleArn}
${flags.config === undefined ? '' : `configuration       ${flags.config}\n`}${flags.admin === undefined ? '' : `administrator       . ${flags.admin}\n`}
Try, with credentials from here in the environment:
  aws sts get-caller-identity --region ${aws.region} --endpoint-url ${aws.url}
  aws bedrock list-foundation-models --region ${aws.region} --endpoint-url ${aws.url}
Ctrl-C ends it.
`);
  const stop = () => void sandbox.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

/** Returns shell lines that direct AWS clients to this sandbox. */
function administrator(aws: AwsEndpoints): string {
  const role = 'arn:aws:iam::123456789012:role/Administrator';
  const { accessKeyId, secretAccessKey, sessionToken } = aws.signIn(role, 'ada@example.com');
  const variables = {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');
}

function readFlags() {
  try {
    return parseArgs({
      options: {
        'provider-port': { type: 'string' },
        'aws-port': { type: 'string' },
        'redirect-port': { type: 'string' },
        'id-token-seconds': { type: 'string' },
        'credential-seconds': { type: 'string' },
        'device-code-seconds': { type: 'string' },
        config: { type: 'string' },
        admin: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** Returns a flag as an option, or nothing if it is absent. */
function whole<Name extends string>(name: Name, text: string | undefined): { [Key in Name]?: number } {
  const option: { [Key in Name]?: number } = {};
  if (text !== undefined) option[name] = wholeNumber(text) as (typeof option)[Name];
  return option;
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  return refuse(`not a whole number: ${text}`);
}

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(2);
}
