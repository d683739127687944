/**
 * Calls sts get-caller-identity as many times as its second argument says, at the endpoint that its first one
 * names, with the credentials the SDK finds by itself; prints the ARN of each.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

/** This SDK renews credentials behind the caller's back: the calls leave it the time to. */
const PAUSE_MS = 200;

const [endpoint = '', calls = ''] = process.argv.slice(2);
const client = new STSClient({ endpoint });
for (let call = 0; call < Number(calls); call += 1) {
  const { Arn } = await client.send(new GetCallerIdentityCommand({}));
  process.stdout.write(`${Arn}\n`);
  await sleep(PAUSE_MS);
}
