import t from 'tap';
import { createFederation } from '../../../daemon/aws/federation.ts';
import { parseConfig, profileNamed } from '../../../protocol/config.ts';
import { fakeClock, rejection } from '../../../tools/support/daemon-edges.ts';
import { awsServer, jsonError, xmlError } from '../fixtures/aws.ts';
import { idTokenFor } from '../fixtures/tokens.ts';

const clock = fakeClock();

t.test('the federation type of a profile selects the AWS service that gets the ID token', async (t) => {
  const aws = await awsServer(t, ({ operation }) =>
    operation === 'GetId' ? jsonError('ResourceNotFoundException') : xmlError('AccessDenied', 'x', 403),
  );
  const base = { provider_domain: 'company.auth0.com', client_id: 'c', aws_region: 'eu-west-1' };
  const profiles = {
    Pool: {
      ...base,
      identity_pool_id: 'eu-west-1:11111111-2222-3333-4444-555555555555',
      cognito_identity_endpoint: aws.endpoint,
    },
    Role: {
      ...base,
      federated_role_arn: 'arn:aws:iam::123456789012:role/R',
      max_session_duration: 3600,
      sts_endpoint: aws.endpoint,
    },
  };
  const config = parseConfig(JSON.stringify(profiles), 'config.json');
  const idToken = idTokenFor(clock);
  const ask = (name: string) =>
    rejection(createFederation(profileNamed(config, name), { clock, fetch }).credentials(idToken));
  t.match(await ask('Pool'), { code: 'ERR_AWS_CONFIG' });
  t.match(await ask('Role'), { code: 'ERR_AWS_DENIED' });
  t.match(aws.calls, [
    { operation: 'GetId', input: { Logins: { 'company.auth0.com/': idToken.jwt } } },
    { operation: 'AssumeRoleWithWebIdentity', input: { DurationSeconds: '3600' } },
  ]);
});
