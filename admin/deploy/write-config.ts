import { readFileSync, statSync } from 'node:fs';
import { applyEdits, modify } from 'jsonc-parser';
import { replaceFile } from '../../common/atomic-file.ts';
import { AUTH_OUTPUTS } from '../../infra/outputs.ts';
import { parseConfig, type UndeployedProfile } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';

/** Fields of config.json that outputs of the auth stack fill, by the profile's federation. */
export function configFields({
  federation,
}: Pick<UndeployedProfile, 'federation'>): Readonly<Record<string, string>> {
  return federation.type === 'cognito'
    ? { identity_pool_id: AUTH_OUTPUTS.identityPoolId }
    : { federated_role_arn: AUTH_OUTPUTS.roleArn };
}

/** Names of these fields in older files. */
const OLDER: Readonly<Record<string, string>> = { identity_pool_id: 'identity_pool_name' };

/**
 * Writes fields of one profile into config.json and leaves every other byte unchanged. The old file is kept
 * beside it as `config.json.bak`.
 *
 * @returns true when anything had to change.
 * @throws CcwbError ERR_CONFIG_INVALID when the changed file would not contain the values.
 */
export function writeConfigFields(
  path: string,
  profileName: string,
  fields: Readonly<Record<string, string>>,
): boolean {
  const text = readFileSync(path, 'utf8');
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  let json = text.slice(mark.length);
  const root: unknown = JSON.parse(json);
  const nested = isObject(root) && root.profiles !== undefined;
  const profiles = nested && isObject(root) ? root.profiles : root;
  const profile = isObject(profiles) ? profiles[profileName] : undefined;
  for (const [field, value] of Object.entries(fields)) {
    const older = OLDER[field];
    const name =
      older !== undefined && isObject(profile) && older in profile && !(field in profile) ? older : field;
    const jsonPath = nested ? ['profiles', profileName, name] : [profileName, name];
    json = applyEdits(json, modify(json, jsonPath, value, { formattingOptions: formatOf(json) }));
  }
  check(json, path, profileName, fields);
  if (mark + json === text) return false;
  const mode = statSync(path).mode & 0o777;
  replaceFile(`${path}.bak`, text, mode);
  return replaceFile(path, mark + json, mode);
}

/** Returns the indentation and line ends of the file, for fields that are added. */
function formatOf(json: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const indent = /^([ \t]+)"/m.exec(json)?.[1] ?? '  ';
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: json.includes('\r\n') ? '\r\n' : '\n',
  };
}

/** Checks that the new text has the values: a field that occurs twice may have been set in the wrong place. */
function check(
  json: string,
  path: string,
  profileName: string,
  fields: Readonly<Record<string, string>>,
): void {
  const federation = parseConfig(json, path).profiles.get(profileName)?.federation;
  const got = federation?.type === 'cognito' ? federation.identityPoolId : federation?.roleArn;
  for (const [field, value] of Object.entries(fields)) {
    if (got === value) continue;
    throw new CcwbError(
      'ERR_CONFIG_INVALID',
      `${path}: profiles.${profileName}.${field} could not be set; nothing was written`,
      `write ${field}: ${JSON.stringify(value)} there yourself`,
    );
  }
}
