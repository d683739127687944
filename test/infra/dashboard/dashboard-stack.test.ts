import t from 'tap';
import { DASHBOARD_PARAMETERS } from '../../../infra/dashboard/dashboard-stack.ts';
import { bytesOf, dashboard, statementsIn, typesOf } from '../fixtures/telemetry.ts';
import { THRESHOLDS } from '../fixtures/telemetry-props.ts';
import { complaints, TEMPLATE_MAX_BYTES } from '../fixtures/validator.ts';

process.env.CDK_VALIDATION = 'false';

const ALARM = 'AWS::CloudWatch::Alarm';
const DASHBOARD = { Dashboard: 'AWS::CloudWatch::Dashboard' };
const WITH_ALARMS = {
  ...DASHBOARD,
  AlarmKey: 'AWS::KMS::Key',
  AlarmTopic: 'AWS::SNS::Topic',
  AlarmTopicPolicy: 'AWS::SNS::TopicPolicy',
  TokensPerHourAlarm: ALARM,
  DailyCostAlarm: ALARM,
  BedrockThrottlesAlarm: ALARM,
  BedrockClientErrorsAlarm: ALARM,
  BedrockServerErrorsAlarm: ALARM,
  CollectorUnhealthyAlarm: ALARM,
  TelemetryRefusedAlarm: ALARM,
};
const EMAIL = { EmailSubscription: 'AWS::SNS::Subscription' };
const { email: _, ...WITHOUT_EMAIL } = THRESHOLDS;
const LONG_NAME = 'A'.repeat(64);
const MANY_REGIONS = ['eu-central-1', 'eu-west-1', 'eu-west-3', 'eu-north-1', 'eu-south-1', 'eu-south-2'];

t.test('the stack has exactly these resources', async (t) => {
  t.strictSame(typesOf(dashboard(t)), { ...WITH_ALARMS, ...EMAIL });
  t.strictSame(typesOf(dashboard(t, { alarms: WITHOUT_EMAIL })), WITH_ALARMS);
});

t.test('every variant passes the validator and cdk-nag, and is small', async (t) => {
  for (const analytics of [true, false]) {
    for (const region of ['eu-central-1', 'us-gov-west-1', 'cn-north-1']) {
      const bedrockRegions = region === 'eu-central-1' ? MANY_REGIONS : [region];
      const { template, violations } = dashboard(t, { name: LONG_NAME, region, bedrockRegions, analytics });
      t.strictSame(complaints(JSON.stringify(template)), [], region);
      t.strictSame(violations, [], region);
      t.ok(bytesOf(template) < TEMPLATE_MAX_BYTES, `${region}: ${bytesOf(template)} bytes`);
      t.notMatch(JSON.stringify(template), /arn:aws/, 'the partition comes from the stack');
    }
  }
});

t.test('the template is small enough with every region of AWS', async (t) => {
  const bedrockRegions = Array.from({ length: 36 }, (_, index) => `ap-southeast-${index}`);
  const { template } = dashboard(t, { name: LONG_NAME, bedrockRegions, analytics: true });
  t.ok(bytesOf(template) < TEMPLATE_MAX_BYTES, `${bytesOf(template)} bytes`);
});

t.test('without thresholds there is a dashboard alone', async (t) => {
  const stack = dashboard(t, { alarms: undefined } as never);
  t.strictSame(typesOf(stack), DASHBOARD);
  t.strictSame(complaints(JSON.stringify(stack.template)), []);
});

t.test('the names of the collector come in as parameters', async (t) => {
  const { template } = dashboard(t);
  t.strictSame(Object.keys(template.Parameters as object), Object.values(DASHBOARD_PARAMETERS));
});

t.test('alarms go to an encrypted topic that takes messages over TLS from this account alone', async (t) => {
  const { template } = dashboard(t);
  const { AlarmTopic, AlarmTopicPolicy, AlarmKey, EmailSubscription } = template.Resources;
  t.strictSame(AlarmTopic?.Properties.KmsMasterKeyId, { 'Fn::GetAtt': ['AlarmKey', 'Arn'] });
  t.equal(AlarmKey?.Properties.EnableKeyRotation, true);
  t.match(EmailSubscription?.Properties, { Protocol: 'email', Endpoint: 'platform@company.example' });
  const [publish, tls] = statementsIn(AlarmTopicPolicy);
  t.match(publish, {
    Effect: 'Allow',
    Principal: { Service: 'cloudwatch.amazonaws.com' },
    Action: 'sns:Publish',
    Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
  });
  t.match(tls, { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
});

t.test('no permission uses a wildcard', async (t) => {
  const allowed = statementsIn(dashboard(t).template).filter(({ Effect }) => Effect === 'Allow');
  t.equal(allowed.length, 3);
  for (const { Principal, Action } of allowed) {
    t.notMatch(JSON.stringify(Principal), '*');
    t.notMatch(JSON.stringify(Action), '*');
  }
});

t.test('two deployments share no name', async (t) => {
  const named = (name: string): unknown[] => {
    const { stackName, template } = dashboard(t, { name });
    const names = Object.values(template.Resources).map(
      ({ Properties }) => Properties.AlarmName ?? Properties.DashboardName,
    );
    return [stackName, ...names.filter((name) => name !== undefined)];
  };
  const [one, other] = [named('ClaudeCode'), named('Research')];
  t.equal(one.length, 9);
  for (const name of one) t.notOk(other.includes(name), String(name));
});
