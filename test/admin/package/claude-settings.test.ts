import t from 'tap';
import { buildClaudeSettings, resourceAttributes } from '../../../admin/package/claude-settings.ts';

const CHOICES = { profile: 'Research', region: 'eu-west-1', collector: undefined, claude: {} };

t.test('without a collector the settings are Bedrock, profile, region and sign-in', async (t) => {
  t.strictSame(buildClaudeSettings(CHOICES), {
    env: {
      CLAUDE_CODE_USE_BEDROCK: '1',
      AWS_PROFILE: 'Research',
      AWS_REGION: 'eu-west-1',
      CCWB_SIGN_IN: 'off',
    },
    awsAuthRefresh: '@INSTALL_DIRECTORY@/bedrock-auth login --profile Research',
  });
});

t.test('with a collector telemetry is sent to it with the headers of otel-helper', async (t) => {
  const collector = 'https://otel.company.example';
  const claude = {
    model: 'us.anthropic.claude-opus',
    haikuModel: 'us.anthropic.claude-haiku',
    attributes: { department: 'R&D, Berlin', 'team.id': 'a=b' },
  };
  t.strictSame(buildClaudeSettings({ ...CHOICES, collector, claude }), {
    env: {
      CLAUDE_CODE_USE_BEDROCK: '1',
      AWS_PROFILE: 'Research',
      AWS_REGION: 'eu-west-1',
      CCWB_SIGN_IN: 'off',
      ANTHROPIC_MODEL: 'us.anthropic.claude-opus',
      ANTHROPIC_DEFAULT_HAIKU_MODEL: 'us.anthropic.claude-haiku',
      CLAUDE_CODE_ENABLE_TELEMETRY: '1',
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector,
      OTEL_RESOURCE_ATTRIBUTES: 'department=R%26D%2C%20Berlin,team.id=a%3Db',
    },
    awsAuthRefresh: '@INSTALL_DIRECTORY@/bedrock-auth login --profile Research',
    otelHeadersHelper: '@INSTALL_DIRECTORY@/otel-helper',
  });
});

t.test('the attributes variable needs a collector and at least one attribute', async (t) => {
  const claude = { attributes: { department: 'research' } };
  t.notOk('OTEL_RESOURCE_ATTRIBUTES' in buildClaudeSettings({ ...CHOICES, claude }).env);
  const { env } = buildClaudeSettings({ ...CHOICES, collector: 'http://10.0.0.1:4318' });
  t.notOk('OTEL_RESOURCE_ATTRIBUTES' in env);
});

t.test('encoded attributes are decoded to the same values by the rules of OpenTelemetry', async (t) => {
  const attributes = { cost_center: '100 % "a;b\\c"', organization: 'Zürich, 東京', 'a b': '' };
  const text = resourceAttributes(attributes);
  t.match(text, /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e,]+$/, 'baggage octets and commas');
  const decoded = text.split(',').map((pair) => pair.split('=').map(decodeURIComponent));
  t.strictSame(Object.fromEntries(decoded), attributes);
});
