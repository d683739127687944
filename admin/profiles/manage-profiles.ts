/** `ccwb profiles list`, `use`, `show` and `remove`. */
import { STACKS, type StackId } from '../../infra/outputs.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { confirm } from '../terminal/confirm.ts';
import { listWords, paragraph } from '../terminal/text.ts';
import { type AdminProfile, deployedAccount } from './admin-profile.ts';
import { chooseProfileFile, currentProfile, useNoProfile, useProfile } from './current-profile.ts';
import { unknownFields, userProfileOf } from './profile-check.ts';
import { listProfiles, profilePath, profilesFolder, readProfile, removeProfile } from './profile-store.ts';

export type JsonFlag = { json?: true };
export type RemoveFlags = JsonFlag & { yes?: true; force?: true };

/** A line of `ccwb profiles list`; the form that `--json` prints. */
type Listed = {
  readonly name: string;
  readonly current: boolean;
  readonly path: string;
  /** Absent when the file is broken. */
  readonly provider?: string;
  readonly region?: string;
  /** Stacks whose outputs it has. */
  readonly deployed?: readonly StackId[];
  /** Message of the error, for a broken file. */
  readonly problem?: string;
};

export function listAll({ json }: JsonFlag, edges: AdminEdges): void {
  const folder = profilesFolder(edges.env);
  const current = currentProfile(edges.env);
  const profiles = listProfiles(edges.env).map((name) => describe(name, name === current, edges));
  if (json) {
    printJson({ folder, current: current ?? null, profiles }, edges);
    return;
  }
  if (profiles.length === 0) {
    edges.writeError(
      paragraph(`There is no profile in ${folder}: run ccwb init to make one.`, edges.columns),
    );
    return;
  }
  const rows = profiles.map(({ name, current: isCurrent, provider, region, deployed, problem }) => [
    isCurrent ? '*' : ' ',
    name,
    ...(problem === undefined
      ? [region ?? '', provider ?? '', deployed?.length ? `deployed: ${deployed.join(', ')}` : 'not deployed']
      : [`BROKEN: ${problem}`]),
  ]);
  edges.writeOut(columnsOf(rows));
}

/** Formats rows as a table; the last column is not padded. */
function columnsOf(rows: readonly (readonly string[])[]): string {
  const width = (column: number): number =>
    Math.max(...rows.map((row) => (column < row.length - 1 ? (row[column] ?? '').length : 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(width(column)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function describe(name: string, current: boolean, edges: AdminEdges): Listed {
  const path = profilePath(name, edges.env);
  try {
    const profile = readProfile(name, edges.env);
    const { awsRegion, identityProvider } = userProfileOf(profile, path);
    const place = { provider: identityProvider.loginKey, region: awsRegion };
    return { name, current, path, ...place, deployed: deployedStacks(profile) };
  } catch (thrown) {
    if (!(thrown instanceof CcwbError)) throw thrown;
    return { name, current, path, problem: thrown.message };
  }
}

/** Returns the stacks whose outputs are in the profile. */
export function deployedStacks({ outputs }: AdminProfile): StackId[] {
  return STACKS.filter((stack) => outputs[stack] !== undefined);
}

export function use(name: string, { json }: JsonFlag, edges: AdminEdges): void {
  useProfile(name, edges.env);
  if (json) printJson({ current: name }, edges);
  else edges.writeOut(`${name} is the current profile\n`);
  if (edges.env.CCWB_PROFILE && edges.env.CCWB_PROFILE !== name) {
    const text = `CCWB_PROFILE says ${edges.env.CCWB_PROFILE}, which counts before the current one as long as it is set`;
    edges.writeError(paragraph(text, edges.columns));
  }
}

export function showOne(named: string | undefined, { json }: JsonFlag, edges: AdminEdges): void {
  const name = chooseProfileFile({ profile: named }, edges.env);
  const profile = masked(readProfile(name, edges.env));
  if (json) {
    printJson(profile, edges);
    return;
  }
  const path = profilePath(name, edges.env);
  const { identityProvider, awsRegion, federation } = userProfileOf(profile, path);
  const deployed = deployedStacks(profile);
  const account = deployedAccount(profile);
  edges.writeOut(
    columnsOf([
      ['profile', name === currentProfile(edges.env) ? `${name}, the current one` : name],
      ['file', path],
      ['provider', `${identityProvider.providerType}, ${identityProvider.issuer}`],
      ['region', awsRegion],
      ['federation', federation.type === 'direct' ? 'direct, through STS' : 'Cognito identity pool'],
      ['users', profile.users === undefined ? 'not said' : String(profile.users)],
      [
        'deployed',
        deployed.length === 0 ? 'nothing' : `${listWords(deployed)}${account ? ` in ${account}` : ''}`,
      ],
    ]),
  );
  for (const field of ['config', 'infra', 'claude', 'outputs'] as const) {
    const text = JSON.stringify(profile[field], undefined, 2);
    edges.writeOut(text === '{}' ? `${field}  nothing\n` : `${field}\n${text.replace(/^/gm, '  ')}\n`);
  }
  const unknown = unknownFields(profile);
  if (unknown.length > 0) {
    const text = `Kept, and of no meaning to this ccwb: ${listWords(unknown)}`;
    edges.writeError(paragraph(text, edges.columns));
  }
}

/** Returns the profile without values that must not be shown: fields of the legacy tool may hold secrets. */
function masked(profile: AdminProfile & { legacyTool?: unknown }): AdminProfile {
  const { config, legacyTool } = profile;
  return {
    ...profile,
    ...(config.client_secret !== undefined && { config: { ...config, client_secret: '(not shown)' } }),
    ...(legacyTool !== undefined && { legacyTool: '(not shown)' }),
  };
}

export async function remove(name: string, flags: RemoveFlags, edges: AdminEdges): Promise<void> {
  const deployed = flags.force ? [] : deployedStacks(readProfile(name, edges.env));
  if (deployed.length > 0) {
    throw new CcwbError(
      'ERR_STACK_STATE',
      `profile ${name} is deployed: ${listWords(deployed)}`,
      `run ccwb destroy --profile ${name} first; with --force the profile goes and the stacks stay in AWS`,
    );
  }
  const yes = flags.yes === true || flags.force === true;
  await confirm(`Remove profile ${name}?`, yes, '--yes', edges);
  const wasCurrent = currentProfile(edges.env) === name;
  removeProfile(name, edges.env);
  if (wasCurrent) useNoProfile(edges.env);
  if (flags.json) printJson({ removed: name }, edges);
  else edges.writeOut(`${name} is removed${wasCurrent ? '; no profile is the current one now' : ''}\n`);
}

function printJson(value: unknown, edges: AdminEdges): void {
  edges.writeOut(`${JSON.stringify(value, undefined, 2)}\n`);
}
