/** `.claude/settings.json` of a package, which the installer merges into the user's settings of Claude Code. */
import type { ClaudeChoices } from '../profiles/admin-profile.ts';

/** Stands for the absolute path of the installation, which only its installer knows. */
export const INSTALL_DIRECTORY = '@INSTALL_DIRECTORY@';

export type SettingsChoices = {
  /** Name of the AWS profile. */
  readonly profile: string;
  /** The region in which Claude Code calls Bedrock. */
  readonly region: string;
  /** URL of the collector; undefined: no telemetry. */
  readonly collector: string | undefined;
  readonly claude: ClaudeChoices;
};

export type PackageClaudeSettings = {
  readonly env: Readonly<Record<string, string>>;
  readonly awsAuthRefresh: string;
  readonly otelHeadersHelper?: string;
};

export function buildClaudeSettings({
  profile,
  region,
  collector,
  claude,
}: SettingsChoices): PackageClaudeSettings {
  const { model, haikuModel, attributes = {} } = claude;
  return {
    env: {
      CLAUDE_CODE_USE_BEDROCK: '1',
      AWS_PROFILE: profile,
      AWS_REGION: region,
      // Claude Code shows a sign-in only when awsAuthRefresh starts it.
      CCWB_SIGN_IN: 'off',
      ...(model !== undefined && { ANTHROPIC_MODEL: model }),
      ...(haikuModel !== undefined && { ANTHROPIC_DEFAULT_HAIKU_MODEL: haikuModel }),
      ...(collector !== undefined && telemetry(collector, attributes)),
    },
    awsAuthRefresh: `${INSTALL_DIRECTORY}/bedrock-auth login --profile ${profile}`,
    ...(collector !== undefined && { otelHeadersHelper: `${INSTALL_DIRECTORY}/otel-helper` }),
  };
}

function telemetry(collector: string, attributes: Readonly<Record<string, string>>): Record<string, string> {
  const list = resourceAttributes(attributes);
  return {
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_LOGS_EXPORTER: 'otlp',
    // With gRPC, Claude Code does not send the headers of otel-helper.
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    ...(list !== '' && { OTEL_RESOURCE_ATTRIBUTES: list }),
  };
}

/**
 * Returns `key=value,…` with keys and values percent-encoded.
 *
 * @see https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
 */
export function resourceAttributes(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .join(',');
}
