import { quoteShellWord } from '../../common/shell-quote.ts';
import { claudeSettingsPath } from '../doctor/claude-checks.ts';
import type { ShimEdges } from '../program/edges.ts';
import { PLACEHOLDER } from '../service/service-files.ts';
import {
  doubledName,
  isSameJson,
  type JsonObject,
  type JsonValue,
  objectIn,
  obstacleOn,
  valueAt,
  valuesIn,
  withValue,
} from '../user-files/json-text.ts';
import { ownSettings, type ValueEdit, withoutSettings, withoutValues } from '../user-files/settings-edit.ts';
import { type InstallPlan, NO_CHANGES } from './install-plan.ts';
import { type EditedText, planUserFileEdit } from './user-file-edit.ts';

/** Plans the merge of the package's Claude Code settings into the user's. */
export function planClaudeSettings(
  edges: ShimEdges,
  settings: JsonObject | undefined,
  profiles: readonly string[],
): InstallPlan {
  const { installation } = edges;
  const wanted = valuesIn(settings ?? {}).map((each) => fillPlaceholder(each, installation));
  if (wanted.length === 0) return NO_CHANGES;
  return planUserFileEdit(edges, {
    kind: 'claude-settings',
    path: claudeSettingsPath(edges),
    summary: wanted.map(({ path }) => path.join('.')).join(', '),
    manualLines: JSON.stringify(objectOfValues(wanted), null, 2),
    edit: (text, before) => mergeSettings(text, wanted, before?.values),
    textWithoutOurs: (text) => {
      const { ours } = ownSettings(text, installation, profiles) ?? { ours: [] };
      return ours.length === 0 ? text : withoutSettings(text, ours);
    },
  });
}

/**
 * Returns the text with these values, and without those that only an earlier package had set.
 *
 * @param before values that earlier installations have set, from the installation record.
 */
export function mergeSettings(
  text: string,
  wanted: readonly JsonValue[],
  before: readonly ValueEdit[] = [],
): EditedText | { problem: string } {
  if (text.trim() === '' || text === '\ufeff') {
    const values = wanted.map(({ path, value }) => ({ path, wrote: value }));
    return { text: `${JSON.stringify(objectOfValues(wanted), null, 2)}\n`, values };
  }
  const root = objectIn(text);
  if (!root) return { problem: 'it is no JSON object' };
  const paths = wanted.map(({ path }) => path);
  const doubled = doubledName(text, paths);
  if (doubled !== undefined) return { problem: `it has ${doubled} twice` };
  const obstacle = paths.map((path) => obstacleOn(root, path)).find((found) => found !== undefined);
  if (obstacle !== undefined) return { problem: `${obstacle} is no object` };

  const isWanted = ({ path }: ValueEdit): boolean => paths.some((each) => isSameJson(each, path));
  let result = withoutValues(
    text,
    before.filter((each) => !isWanted(each)),
  );
  const values: ValueEdit[] = [];
  for (const { path, value } of wanted) {
    const present = valueAt(root, path);
    const known = before.find((each) => isSameJson(each.path, path));
    const earlier = known && isSameJson(known.wrote, present) ? known.earlier : present;
    // A value that was there before the first installation is the user's own.
    if (isSameJson(present, value)) {
      if (known) values.push(known);
      continue;
    }
    result = withValue(result, path, value);
    values.push({ path, wrote: value, ...(earlier === undefined ? {} : { earlier }) });
  }
  const now = objectIn(result);
  const failed = wanted.find(({ path, value }) => !now || !isSameJson(valueAt(now, path), value));
  return failed ? { problem: `${failed.path.join('.')} could not be set` } : { text: result, values };
}

/** Replaces the placeholder in a value by the installation's path, quoted for the shell in commands. */
function fillPlaceholder({ path, value }: JsonValue, installation: string): JsonValue {
  if (typeof value !== 'string') return { path, value };
  const placed =
    path[0] === 'env'
      ? value.replaceAll(PLACEHOLDER, () => installation)
      : value.replace(PLACEHOLDER_WORD, (word) =>
          quoteShellWord(word.replace(PLACEHOLDER, () => installation)),
        );
  return { path, value: placed };
}

const PLACEHOLDER_WORD = new RegExp(`(?<!\\S)${PLACEHOLDER}\\S*`, 'g');

function objectOfValues(values: readonly JsonValue[]): JsonObject {
  const root: JsonObject = {};
  for (const { path, value } of values) {
    let object = root;
    for (const name of path.slice(0, -1)) {
      object[name] ??= {};
      object = object[name] as JsonObject;
    }
    object[path.at(-1) ?? ''] = value;
  }
  return root;
}
