import { readInstallationRecord } from '../installation/installation-record.ts';
import type { ShimEdges } from '../program/edges.ts';
import { NO_AWS_EDITS, ownSections, withoutProfiles } from '../user-files/aws-edit.ts';
import { awsConfigPath, sectionsOf } from '../user-files/aws-files.ts';
import { planUndo, type UndoableFile } from './undo.ts';
import type { UninstallPlan } from './uninstall-plan.ts';

/** Plans the removal of our edits from `~/.aws/config`, and of sections that run this credential-process. */
export function planAwsConfigRemoval(edges: ShimEdges): UninstallPlan {
  const { installation } = edges;
  const recorded = readInstallationRecord(installation).files.filter(({ kind }) => kind === 'aws-config');
  const usual = awsConfigPath(edges);
  const files: UndoableFile[] = recorded.some(({ path }) => path === usual)
    ? recorded
    : [...recorded, { path: usual }];
  const without = (text: string, file: UndoableFile): string =>
    withoutProfiles(text, file.aws ?? NO_AWS_EDITS, installation);
  const plans = files.map((file) =>
    planUndo(edges, file, {
      ownNames: (text) => ({ ours: namesIn(text, file), maybe: [] }),
      textWithoutOurs: (text) => without(text, file),
    }),
  );
  return {
    steps: plans.flatMap(({ steps }) => steps),
    kept: plans.flatMap(({ kept }) => kept),
  };

  function namesIn(text: string, { aws }: UndoableFile): string[] {
    const own = ownSections(text, installation).map(({ profile }) => profile);
    const changed = (aws?.lines ?? []).map(({ profile }) => profile);
    const there = sectionsOf(text).map(({ profile }) => profile);
    const names = [...new Set([...own, ...changed.filter((name) => there.includes(name))])];
    return names.map((name) => (name === 'default' ? '[default]' : `[profile ${name}]`));
  }
}
