import type { ShimEdges } from '../program/edges.ts';
import { NO_AWS_EDITS, ownSections, withoutProfiles } from '../user-files/aws-edit.ts';
import { awsConfigPath, sectionsOf } from '../user-files/aws-files.ts';
import { readRecord } from '../user-files/record.ts';
import type { Plan } from './step.ts';
import { planUndo, type Touched } from './undo.ts';

/** What was put into `~/.aws/config`, and the sections that run this installation's credential-process. */
export function awsSections(edges: ShimEdges): Plan {
  const { installation } = edges;
  const recorded = readRecord(installation).files.filter(({ kind }) => kind === 'aws-config');
  const usual = awsConfigPath(edges);
  const files: Touched[] = recorded.some(({ path }) => path === usual)
    ? recorded
    : [...recorded, { path: usual }];
  const without = (text: string, file: Touched): string =>
    withoutProfiles(text, file.aws ?? NO_AWS_EDITS, installation);
  const plans = files.map((file) =>
    planUndo(edges, file, {
      what: (text) => ({ ours: namesIn(text, file), maybe: [] }),
      without: (text) => without(text, file),
    }),
  );
  return {
    steps: plans.flatMap(({ steps }) => steps),
    left: plans.flatMap(({ left }) => left),
  };

  function namesIn(text: string, { aws }: Touched): string[] {
    const own = ownSections(text, installation).map(({ profile }) => profile);
    const changed = (aws?.lines ?? []).map(({ profile }) => profile);
    const there = sectionsOf(text).map(({ profile }) => profile);
    const names = [...new Set([...own, ...changed.filter((name) => there.includes(name))])];
    return names.map((name) => (name === 'default' ? '[default]' : `[profile ${name}]`));
  }
}
