import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Finding, ok, problem, skipped, warning } from '../../common/findings.ts';
import { programOfCommand, quoteShellWord, quoteTypedWord } from '../../common/shell-quote.ts';
import { escapeControlCharacters } from '../../protocol/control-characters.ts';
import { isObject, parseObject } from '../../protocol/json.ts';
import type { ShimEdges } from '../program/edges.ts';
import { isProgram, readText } from '../sign-in/browser.ts';
import { shortPath } from '../terminal/format.ts';
import type { DoctorContext, ShimCheck, UserClaudeSettings } from './check.ts';
import { unreachable } from './network-checks.ts';

/** The user's own settings of Claude Code. */
export function claudeSettingsPath({ env }: Pick<ShimEdges, 'env'>): string {
  return join(env.CLAUDE_CONFIG_DIR || join(env.HOME ?? homedir(), '.claude'), 'settings.json');
}

export function readClaudeSettings(edges: ShimEdges): UserClaudeSettings | undefined {
  const path = claudeSettingsPath(edges);
  const root = parseObject((readText(path) ?? '').replace(/^\ufeff/, ''));
  if (!root) return undefined;
  const env = isObject(root.env) ? root.env : {};
  const texts = Object.entries(env).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return { path, env: Object.fromEntries(texts), root };
}

/** Checks that Claude Code uses Bedrock, this profile and the programs of this installation. */
export const claude: ShimCheck = ({ edges, config, claudeSettings }) => {
  const path = claudeSettingsPath(edges);
  const where = shortPath(path, edges.env.HOME);
  const settings = claudeSettings();
  if (!settings) {
    if (readText(path) === undefined) {
      const fix = `mkdir -p ${quoteTypedWord(dirname(path))} && printf '%s\\n' ${quoteTypedWord(wanted(edges, config))} > ${quoteTypedWord(path)}`;
      return [warning(`there is no ${where}: Claude Code does not use Bedrock`, fix)];
    }
    return [problem(`${where} is no JSON object: Claude Code ignores it`, `correct ${where}`)];
  }
  const found = [
    ...bedrockFindings(edges, settings, where, config),
    ...helperFindings(edges, settings, where),
    ...telemetryFindings(settings, where),
  ];
  return found.length > 0 ? found : [ok(`${where}: Bedrock with profile ${settings.env.AWS_PROFILE}`)];
};

function bedrockFindings(
  edges: ShimEdges,
  { env }: UserClaudeSettings,
  where: string,
  config: DoctorContext['config'],
): Finding[] {
  const found: Finding[] = [];
  const add = (name: string, value: string): string => `add to "env" in ${where}: "${name}": "${value}"`;
  const names = config?.names ?? [];
  const own = names[0] ?? 'ClaudeCode';
  const used = env.CLAUDE_CODE_USE_BEDROCK ?? edges.env.CLAUDE_CODE_USE_BEDROCK;
  if (!['1', 'true'].includes(used ?? '')) {
    found.push(problem('Claude Code is not told to use Bedrock', add('CLAUDE_CODE_USE_BEDROCK', '1')));
  }
  const profile = env.AWS_PROFILE ?? edges.env.AWS_PROFILE;
  if (profile === undefined) {
    found.push(problem('Claude Code is not told which AWS profile to use', add('AWS_PROFILE', own)));
  } else if (names.length > 0 && !names.includes(profile)) {
    found.push(
      warning(
        `Claude Code uses the profile ${escapeControlCharacters(profile)}, none of this installation`,
        add('AWS_PROFILE', own),
      ),
    );
  }
  if (!(env.AWS_REGION ?? edges.env.AWS_REGION)) {
    found.push(warning('Claude Code is not told a region', add('AWS_REGION', 'us-east-1')));
  }
  if (env.CCWB_SIGN_IN !== 'off') {
    const text = 'inside Claude Code a sign-in would start where nobody sees it';
    found.push(warning(text, add('CCWB_SIGN_IN', 'off')));
  }
  return found;
}

/** Checks that `awsAuthRefresh` signs in visibly and `otelHeadersHelper` names the user. */
function helperFindings(edges: ShimEdges, { root, env }: UserClaudeSettings, where: string): Finding[] {
  const found: Finding[] = [];
  const refresh = (root as Record<string, unknown>).awsAuthRefresh;
  const login = `${quoteShellWord(join(edges.installation, 'bedrock-auth'))} login --profile ${env.AWS_PROFILE ?? 'ClaudeCode'}`;
  if (typeof refresh !== 'string') {
    const fix = `add to ${where}: "awsAuthRefresh": ${JSON.stringify(login)}`;
    found.push(warning('Claude Code does not know how to sign in (awsAuthRefresh)', fix));
  } else if (!isCommand(edges, refresh)) {
    const fix = `set in ${where}: "awsAuthRefresh": ${JSON.stringify(login)}`;
    found.push(
      problem(
        `awsAuthRefresh runs ${escapeControlCharacters(programOfCommand(refresh))}, which is no program`,
        fix,
      ),
    );
  }
  const helper = (root as Record<string, unknown>).otelHeadersHelper;
  const ours = JSON.stringify(quoteShellWord(join(edges.installation, 'otel-helper')));
  if (typeof helper === 'string' && !isCommand(edges, helper)) {
    const fix = `set in ${where}: "otelHeadersHelper": ${ours}`;
    found.push(
      problem(
        `otelHeadersHelper runs ${escapeControlCharacters(programOfCommand(helper))}, which is no program`,
        fix,
      ),
    );
  }
  if (isOn(env) && typeof helper !== 'string') {
    const fix = `add to ${where}: "otelHeadersHelper": ${ours}`;
    found.push(warning('telemetry does not say who it is from (otelHeadersHelper)', fix));
  }
  return found;
}

function telemetryFindings({ env }: UserClaudeSettings, where: string): Finding[] {
  if (!isOn(env)) return [];
  if (env.OTEL_EXPORTER_OTLP_PROTOCOL !== 'grpc') return [];
  const fix = `set in "env" in ${where}: "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"`;
  return [warning('with the protocol grpc Claude Code ignores otelHeadersHelper', fix)];
}

/** Checks that the collector of telemetry answers, if there is one. */
export const collector: ShimCheck = async ({ claudeSettings, probe }) => {
  const { env } = claudeSettings() ?? {};
  const url = env?.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!env || !isOn(env)) return [skipped('telemetry is off')];
  if (url === undefined || !/^https?:/.test(url) || !URL.canParse(url)) {
    const fix = 'set OTEL_EXPORTER_OTLP_ENDPOINT to the address of the collector';
    return [problem('telemetry is on, and has no collector', fix)];
  }
  const result = await probe(url);
  if ('code' in result) return [{ ...unreachable(result, url), outcome: 'warning' }];
  return [ok(`${new URL(url).host} answers`)];
};

function isOn(env: UserClaudeSettings['env']): boolean {
  return ['1', 'true'].includes(env.CLAUDE_CODE_ENABLE_TELEMETRY ?? '');
}

function wanted(edges: ShimEdges, config: DoctorContext['config']): string {
  const profile = config?.names[0] ?? 'ClaudeCode';
  return JSON.stringify({
    env: { CLAUDE_CODE_USE_BEDROCK: '1', AWS_PROFILE: profile, CCWB_SIGN_IN: 'off' },
    awsAuthRefresh: `${quoteShellWord(join(edges.installation, 'bedrock-auth'))} login --profile ${profile}`,
  });
}

/** True if the program of a command exists. A shell runs it, so a bare name is searched on the PATH. */
function isCommand({ env }: ShimEdges, command: string): boolean {
  const file = programOfCommand(command).replace(/^~(?=\/)/, env.HOME ?? '~');
  if (file.includes('/')) return isProgram(file);
  return (env.PATH ?? '').split(':').some((folder) => isProgram(join(folder, file)));
}
