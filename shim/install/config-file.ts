import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readFileIfExists, replaceFile } from '../../common/atomic-file.ts';
import { parseConfig } from '../../protocol/config.ts';
import { isObject } from '../../protocol/json.ts';
import { UNREADABLE_CONFIG } from '../installation/layout.ts';
import { isSameJson, type JsonObject, objectIn, valueAt, withValue } from '../user-files/json-text.ts';
import { type InstallPlan, NO_CHANGES } from './install-plan.ts';
import type { Package } from './package.ts';

/**
 * Plans the merge of the package's profiles into the installation's config.json. Profiles of other packages stay.
 * A config.json that cannot be parsed is copied to {@link UNREADABLE_CONFIG} and replaced.
 */
export function planConfigFile(installation: string, pack: Package): InstallPlan {
  const path = join(installation, 'config.json');
  const before = readFileIfExists(path);
  const merged = before === undefined ? undefined : mergeProfiles(before, path, pack);
  const text = merged ?? pack.configText;
  if (text === before) return NO_CHANGES;
  const names = pack.config.names.join(', ');
  const isUnreadable = before !== undefined && merged === undefined;
  const apply = (): undefined => {
    if (isUnreadable) copyFileSync(path, join(installation, UNREADABLE_CONFIG));
    replaceFile(path, text, before === undefined ? 0o600 : statSync(path).mode & 0o777);
  };
  const note = isUnreadable ? `; the one that was there cannot be read, and is ${UNREADABLE_CONFIG} now` : '';
  return {
    changes: [{ text: `config.json: ${names}${note}`, essential: true, apply }],
    manualSteps: [],
  };
}

/** Returns the text with the profiles of the package. Undefined if the text is not a valid config.json. */
function mergeProfiles(text: string, path: string, { configText, config }: Package): string | undefined {
  const root = parseValidConfig(text, path);
  if (!root) return undefined;
  const place = isObject(root.profiles) ? ['profiles'] : [];
  const wanted = profilesOfConfig(objectIn(configText) ?? {});
  let merged = text;
  for (const name of config.names) {
    const profile = wanted[name];
    if (isSameJson(valueAt(root, [...place, name]), profile)) continue;
    merged = withValue(merged, [...place, name], profile);
  }
  const now = profilesOfConfig(parseValidConfig(merged, path) ?? {});
  return config.names.every((name) => isSameJson(now[name], wanted[name])) ? merged : undefined;
}

function parseValidConfig(text: string, path: string): JsonObject | undefined {
  try {
    parseConfig(text, path);
    return objectIn(text);
  } catch {
    return undefined;
  }
}

function profilesOfConfig(root: JsonObject): JsonObject {
  return isObject(root.profiles) ? root.profiles : root;
}
