import { join } from 'node:path';
import { type Finding, ok, problem, warning } from '../../common/findings.ts';
import { programOfCommand, quoteShellWord, quoteTypedWord } from '../../common/shell-quote.ts';
import { escapeControlCharacters } from '../../protocol/control-characters.ts';
import { isProgram, readText } from '../sign-in/browser.ts';
import { shortPath } from '../terminal/format.ts';
import { awsConfigPath, awsCredentialsPath, type Section, sectionsOf } from '../user-files/aws-files.ts';
import { type DoctorContext, forEachProfile, type ShimCheck } from './check.ts';

/** Settings of a profile that override its `credential_process` in SDKs. */
const OUTDOING = [
  'aws_access_key_id',
  'role_arn',
  'sso_session',
  'sso_start_url',
  'web_identity_token_file',
  'credential_source',
];

/** Variables that override every profile in SDKs. */
const KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
const ROLES = [
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

/** Checks that `~/.aws/config` has a section for each profile, which leads to this installation. */
export const awsConfig: ShimCheck = (context) => {
  const path = awsConfigPath(context.edges);
  const sections = sectionsOf(readText(path) ?? '');
  return forEachProfile(context, ({ name, awsRegion }) => {
    const own = sections.filter(({ profile }) => profile === name);
    return sectionFindings(context, own, { name, region: awsRegion, path });
  });
};

function sectionFindings(
  { edges }: DoctorContext,
  own: readonly Section[],
  { name, region, path }: { name: string; region: string; path: string },
): Finding | Finding[] {
  const where = shortPath(path, edges.env.HOME);
  const ours = join(edges.installation, 'credential-process');
  const [section] = own;
  const edit = `correct [profile ${name}] in ${where}`;
  if (!section) {
    return problem(`${where} has no profile ${name}`, addition(path, name, region, ours), name);
  }
  if (own.length > 1) return warning(`${where} has profile ${name} ${own.length} times`, edit, name);
  const command = section.settings.get('credential_process');
  const outdoing = OUTDOING.filter((setting) => section.settings.has(setting));
  if (command === undefined) {
    return problem(
      `profile ${name} in ${where} has no credential_process`,
      `${edit}: credential_process = ${commandFor(ours, name)}`,
      name,
    );
  }
  const runs = programOfCommand(command);
  if (!isProgram(runs)) {
    return problem(
      `profile ${name} runs ${escapeControlCharacters(runs)}, which is no program`,
      `${edit}: credential_process = ${commandFor(ours, name)}`,
      name,
    );
  }
  if (outdoing.length > 0) {
    return problem(
      `profile ${name} has ${outdoing.join(', ')}, which goes before credential_process`,
      `remove ${outdoing.join(', ')} from [profile ${name}] in ${where}`,
      name,
    );
  }
  const found: Finding[] = [];
  if (runs !== ours) {
    const other = shortPath(escapeControlCharacters(runs), edges.env.HOME);
    found.push(
      warning(
        `profile ${name} runs ${other}, another installation's`,
        `${edit}: credential_process = ${commandFor(ours, name)}`,
        name,
      ),
    );
  }
  if (!section.settings.has('region') && !edges.env.AWS_REGION) {
    found.push(warning(`profile ${name} has no region`, `${edit}: region = ${region}`, name));
  }
  return found.length > 0 ? found : ok(`${where}: profile ${name} runs credential-process`, name);
}

function commandFor(program: string, name: string): string {
  return `${quoteShellWord(program)} --profile ${name}`;
}

function addition(path: string, name: string, region: string, program: string): string {
  const lines = [
    '',
    `[profile ${name}]`,
    `region = ${region}`,
    `credential_process = ${commandFor(program, name)}`,
  ];
  return `printf '%s\\n' ${lines.map(quoteTypedWord).join(' ')} >> ${quoteTypedWord(path)}`;
}

/**
 * Checks that `~/.aws/credentials` has no static keys of the same name. They override the profile and are
 * never renewed.
 */
export const awsCredentials: ShimCheck = (context) => {
  const path = awsCredentialsPath(context.edges);
  const where = shortPath(path, context.edges.env.HOME);
  const text = readText(path);
  if (text === undefined) return [ok(`there is no ${where}`)];
  const sections = sectionsOf(text);
  return forEachProfile(context, ({ name }) => {
    const own = sections.find(({ profile }) => profile === name);
    if (!own) return ok(`${where} has nothing for ${name}`, name);
    const static_ = own.settings.has('aws_access_key_id');
    const what = static_ ? 'static keys' : 'a section';
    const text = `${where} has ${what} for ${name}, which go before credential_process`;
    const fix = `remove the section [${name}] from ${where}`;
    return static_ ? problem(text, fix, name) : warning(text, fix, name);
  });
};

/** Checks that no variables override the profile. Their values are not shown. */
export const environment: ShimCheck = ({ edges, config }) => {
  const { env } = edges;
  const found: Finding[] = [];
  const keys = KEYS.filter((name) => env[name]);
  if (keys.length > 0) {
    const verb = keys.length === 1 ? 'is' : 'are';
    found.push(
      problem(`${keys.join(', ')} ${verb} set: SDKs use that, not a profile`, `unset ${keys.join(' ')}`),
    );
  }
  if (env.AWS_BEARER_TOKEN_BEDROCK) {
    const text = 'AWS_BEARER_TOKEN_BEDROCK is set: Claude Code uses that, not a profile';
    found.push(problem(text, 'unset AWS_BEARER_TOKEN_BEDROCK'));
  }
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    const text =
      'NODE_TLS_REJECT_UNAUTHORIZED is 0: Claude Code accepts any certificate; this product ignores it';
    found.push(
      warning(text, 'unset NODE_TLS_REJECT_UNAUTHORIZED; export NODE_EXTRA_CA_CERTS=/path/to/ca.pem'),
    );
  }
  const roles = ROLES.filter((name) => env[name]);
  if (roles.length > 0 && !env.AWS_PROFILE) {
    found.push(warning(`${roles.join(', ')} may be used instead of a profile`, `unset ${roles.join(' ')}`));
  }
  const chosen = env.AWS_PROFILE ?? env.AWS_DEFAULT_PROFILE;
  if (chosen && config && !config.names.includes(chosen)) {
    const ours = config.names[0] ?? '';
    const text = `AWS_PROFILE is ${escapeControlCharacters(chosen)}, no profile of this installation`;
    found.push(warning(text, `export AWS_PROFILE=${ours}`));
  }
  const moved = ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'].filter((name) => env[name]);
  if (found.length > 0) return found;
  return [
    ok(
      moved.length > 0
        ? `nothing goes before the profile (${moved.join(', ')} set)`
        : 'nothing goes before the profile',
    ),
  ];
};
