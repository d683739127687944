/**
 * `npm run bench:ccwb`: how long an administrator waits for `ccwb` itself, beside a Node.js that does nothing. The
 * aims are for an idle machine of two cores: help in 250 ms, a dry run of all stacks in 6 s. AWS is the sandbox's and
 * takes no time for anything: what the real one takes comes on top.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeProfile } from '../../admin/profiles/profile-store.ts';
import { startAwsEndpoints } from '../../sandbox/aws/aws-endpoints.ts';
import { EVERYTHING, PROFILE } from '../support/admin-profiles.ts';
import { measure, table } from './measure.ts';

const AIMS_MS: Readonly<Record<string, number>> = { 'ccwb --help': 250, 'ccwb deploy --dry-run': 6_000 };
const ROUNDS = 5;

const CCWB = `"${process.execPath}" "${fileURLToPath(new URL('../../admin/ccwb.js', import.meta.url))}"`;
const folder = mkdtempSync(join(tmpdir(), 'ccwb-bench-'));
const aws = await startAwsEndpoints({ issuers: [], clientId: 'c' });
try {
  aws.stacks.stepsPerLook = 100;
  aws.stacks.changeSetsAtOnce = true;
  const administrator = aws.signIn('arn:aws:iam::123456789012:role/Administrator', 'ada@example.com');
  const env = {
    PATH: process.env.PATH ?? '',
    CCWB_HOME: folder,
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: administrator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: administrator.secretAccessKey,
    AWS_SESSION_TOKEN: administrator.sessionToken,
  };
  writeProfile({ ...PROFILE, infra: EVERYTHING }, env);
  // Of stacks that are there every one gets a change set, which is the most there is to do.
  await measure({ deploy: `${CCWB} deploy --yes` }, 1, 0, env);
  const figures = await measure(
    {
      node: `"${process.execPath}" -e 0`,
      'ccwb --help': `${CCWB} --help`,
      'ccwb profiles list': `${CCWB} profiles list`,
      'ccwb status': `${CCWB} status`,
      'ccwb deploy --dry-run': `${CCWB} deploy --dry-run --bedrock-regions us-west-2`,
    },
    1,
    ROUNDS,
    env,
  );
  table('one at a time, in ms', figures, 'node');
  for (const { name, medianMs } of figures) {
    const aim = AIMS_MS[name];
    if (aim === undefined || medianMs < aim) continue;
    process.stdout.write(`${name} takes ${medianMs.toFixed(0)} ms; aim: under ${aim} ms\n`);
    process.exitCode = 1;
  }
} finally {
  await aws.close();
  rmSync(folder, { recursive: true, force: true });
}
