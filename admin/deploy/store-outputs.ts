/** Stores the outputs of stacks in the administrator's profile, or in config.json. */
import type { StackId } from '../../infra/outputs.ts';
import type { UndeployedProfile } from '../../protocol/config.ts';
import type { AdminEdges } from '../edges.ts';
import type { AdminProfile } from '../profiles/admin-profile.ts';
import type { ChosenProfile } from '../profiles/chosen-profile.ts';
import { updateProfile } from '../profiles/profile-store.ts';
import { listWords, paragraph } from '../terminal/text.ts';
import type { DeployedStack } from './deployment.ts';
import { configFields, writeConfigFields } from './write-config.ts';

/** Puts the outputs of one stack into the profile. */
export function storeOutputs(
  { name }: AdminProfile,
  { stack, outputs }: DeployedStack,
  edges: AdminEdges,
): void {
  updateProfile(name, edges.env, (profile) => ({
    ...profile,
    outputs: { ...profile.outputs, [stack]: outputs },
  }));
}

/** Removes the outputs of a deleted stack from the profile. */
export function forgetOutputs({ name }: AdminProfile, stack: StackId, edges: AdminEdges): void {
  updateProfile(name, edges.env, (profile) => {
    const { [stack]: _, ...outputs } = profile.outputs;
    return { ...profile, outputs };
  });
}

/** Returns the fields of config.json that deployed stacks provide. */
export function configFieldsFrom(
  done: readonly DeployedStack[],
  profile: UndeployedProfile,
): Record<string, string> {
  const outputs = done.find(({ stack }) => stack === 'auth')?.outputs ?? {};
  const found = Object.entries(configFields(profile)).flatMap(([field, key]) => {
    const value = outputs[key];
    return value === undefined ? [] : [[field, value]];
  });
  return Object.fromEntries(found);
}

/** Says where the outputs are now; without a profile of ccwb's, what config.json needs, or writes it there. */
export function reportOutputs(
  done: readonly DeployedStack[],
  chosen: ChosenProfile,
  writeConfig: boolean,
  edges: AdminEdges,
): { readonly stored: boolean; readonly configWritten: boolean } {
  const { admin, path } = chosen;
  if (admin === undefined)
    return { stored: false, configWritten: reportConfig(done, chosen, writeConfig, edges) };
  if (done.length === 0) return { stored: false, configWritten: false };
  const stacks = listWords(done.map(({ stack }) => stack));
  edges.writeError(
    paragraph(`\nThe outputs of ${stacks} are in profile ${admin.name} (${path})`, edges.columns),
  );
  return { stored: true, configWritten: false };
}

/** @returns true when config.json now has the outputs of the stacks. */
function reportConfig(
  done: readonly DeployedStack[],
  { path, profile }: ChosenProfile,
  writeConfig: boolean,
  edges: AdminEdges,
): boolean {
  const fields = configFieldsFrom(done, profile);
  const names = Object.keys(fields);
  if (names.length === 0) return false;
  if (!writeConfig) {
    const values = Object.entries(fields).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`);
    const text = `\n${path} needs, in profile ${profile.name} (ccwb deploy --write-config puts it there):`;
    edges.writeError(paragraph(text, edges.columns));
    edges.writeError(`  ${values.join(',\n  ')}\n`);
    return false;
  }
  const changed = writeConfigFields(path, profile.name, fields);
  const what = `${listWords(names)} of profile ${profile.name}`;
  const text = changed
    ? `\nWrote ${what} into ${path}; the file as it was is ${path}.bak`
    : `\n${path} has ${what} already`;
  edges.writeError(paragraph(text, edges.columns));
  return true;
}
