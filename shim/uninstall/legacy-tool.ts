import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { legacyToolSections } from '../install/aws-credentials.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import { withoutSections } from '../user-files/aws-edit.ts';
import { awsCredentialsPath } from '../user-files/aws-files.ts';
import { readForEdit, removeIfEmpty, writeEdited } from '../user-files/edit-file.ts';
import type { UninstallPlan, UninstallStep } from './uninstall-plan.ts';

/** Endings of the files in which the legacy tool keeps tokens, and headers made from them, for a profile. */
const TOKEN_FILE_SUFFIX = /-(?:refresh\.json(?:\.tmp)?|monitoring\.json|otel-headers\.(?:json|raw))$/;

/** Plans the removal of the legacy tool's tokens and AWS credentials for these profiles. */
export function planLegacyToolRemoval(edges: ShimEdges, profiles: readonly string[]): UninstallPlan {
  return {
    steps: [...planTokenRemoval(edges, profiles), ...planCredentialRemoval(edges, profiles)],
    kept: [],
  };
}

function planTokenRemoval({ env }: ShimEdges, profiles: readonly string[]): UninstallStep[] {
  const folder = join(env.HOME ?? '', '.claude-code-session');
  const ours = entries(folder).filter(
    (name) => profiles.includes(name.replace(TOKEN_FILE_SUFFIX, '')) && TOKEN_FILE_SUFFIX.test(name),
  );
  if (ours.length === 0) return [];
  const remove = async (): Promise<string[]> => {
    for (const name of ours) rmSync(join(folder, name), { force: true });
    removeIfEmpty(folder);
    return [];
  };
  return [{ text: `the tokens of the legacy tool in ${shortPath(folder, env.HOME)}`, remove }];
}

function planCredentialRemoval(edges: ShimEdges, profiles: readonly string[]): UninstallStep[] {
  const path = awsCredentialsPath(edges);
  const text = (): string => {
    const file = readForEdit(path);
    return file && 'text' in file ? file.text : '';
  };
  const found = legacyToolSections(text(), profiles);
  if (found.length === 0) return [];
  const names = [...new Set(found.map(({ profile }) => `[${profile}]`))].join(', ');
  const remove = async (): Promise<string[]> => {
    const now = text();
    const sections = legacyToolSections(now, profiles);
    if (sections.length > 0) writeEdited(path, withoutSections(now, sections));
    return [];
  };
  return [{ text: `${names} of the legacy tool in ${shortPath(path, edges.env.HOME)}`, remove }];
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
