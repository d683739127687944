import { claudeSettingsPath } from '../doctor/claude-checks.ts';
import { readInstallationRecord } from '../installation/installation-record.ts';
import type { ShimEdges } from '../program/edges.ts';
import { ownSettings, unchangedValues, withoutSettings, withoutValues } from '../user-files/settings-edit.ts';
import { planUndo, type UndoableFile } from './undo.ts';
import type { UninstallPlan } from './uninstall-plan.ts';

/** Plans the removal of Claude Code settings that refer to this installation, and of others that it has set. */
export function planClaudeSettingsRemoval(edges: ShimEdges, profiles: readonly string[]): UninstallPlan {
  const { installation } = edges;
  const recorded = readInstallationRecord(installation).files.filter(
    ({ kind }) => kind === 'claude-settings',
  );
  const usual = claudeSettingsPath(edges);
  const files: UndoableFile[] = recorded.some(({ path }) => path === usual)
    ? recorded
    : [...recorded, { path: usual }];
  const plans = files.map((file) =>
    planUndo(edges, file, {
      ownNames: (text) => {
        const found = ownSettings(text, installation, profiles);
        if (!found) return undefined;
        const made = unchangedValues(text, valuesOf(file)).map(({ path }) => path.join('.'));
        const ours = found.ours.map((path) => path.join('.'));
        const names = [...new Set([...ours, ...made])];
        const maybe = found.maybe.map((name) => `env.${name}`).filter((name) => !names.includes(name));
        return { ours: names, maybe: file.written === undefined ? maybe : [] };
      },
      textWithoutOurs: (text) => {
        const rest = withoutValues(text, valuesOf(file));
        const { ours } = ownSettings(rest, installation, profiles) ?? { ours: [] };
        return ours.length === 0 ? rest : withoutSettings(rest, ours);
      },
    }),
  );
  return {
    steps: plans.flatMap(({ steps }) => steps),
    kept: plans.flatMap(({ kept }) => kept),
  };
}

function valuesOf({ values }: UndoableFile) {
  return values ?? [];
}
