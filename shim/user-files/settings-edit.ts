/** Claude Code settings that refer to an installation, and the removal of edits. */
import { join } from 'node:path';
import { programOfCommand } from '../../common/shell-quote.ts';
import { isObject } from '../../protocol/json.ts';
import { isSameJson, type JsonPath, objectIn, valueAt, withValue } from './json-text.ts';

/** A value that an installer set in a JSON file; `earlier` is absent if there was none. */
export type ValueEdit = { path: JsonPath; wrote: unknown; earlier?: unknown };

/** Settings that users make themselves, too. Without a record they are reported and not removed. */
const MAYBE_OURS =
  /^(CLAUDE_CODE_USE_BEDROCK|CLAUDE_CODE_ENABLE_TELEMETRY|AWS_REGION|OTEL_\w+|ANTHROPIC_\w*MODEL)$/;

/**
 * Finds settings that refer to the installation or its profiles, and names that may come from an installer.
 * Undefined if the text is not a JSON object.
 */
export function ownSettings(
  text: string,
  installation: string,
  profiles: readonly string[],
): { ours: JsonPath[]; maybe: string[] } | undefined {
  const root = objectIn(text);
  if (!root) return undefined;
  const env = isObject(root.env) ? root.env : {};
  const leadsHere = (command: unknown): boolean =>
    typeof command === 'string' && programOfCommand(command).startsWith(join(installation, '/'));
  const ours: JsonPath[] = [
    ...['awsAuthRefresh', 'otelHeadersHelper'].filter((name) => leadsHere(root[name])).map((name) => [name]),
    ...(env.CCWB_SIGN_IN === undefined ? [] : [['env', 'CCWB_SIGN_IN']]),
    ...(profiles.some((name) => name === env.AWS_PROFILE) ? [['env', 'AWS_PROFILE']] : []),
  ];
  return { ours, maybe: Object.keys(env).filter((name) => MAYBE_OURS.test(name)) };
}

/** Returns the text without these settings, and without an empty `env`; empty if nothing is left. */
export function withoutSettings(text: string, settings: readonly JsonPath[]): string {
  let rest = text;
  for (const path of settings) rest = withValue(rest, path, undefined);
  return withoutEmpty(rest);
}

/** Returns the text with the earlier values in place of these, where nobody has changed them since. */
export function withoutValues(text: string, values: readonly ValueEdit[]): string {
  let rest = text;
  for (const { path, wrote, earlier } of unchangedValues(text, values)) {
    if (!isSameJson(wrote, earlier)) rest = withValue(rest, path, earlier);
  }
  return rest === text ? text : withoutEmpty(rest);
}

/** Returns the values that nobody has changed since they were written. */
export function unchangedValues(text: string, values: readonly ValueEdit[]): ValueEdit[] {
  const root = objectIn(text) ?? {};
  return values.filter(({ path, wrote }) => isSameJson(valueAt(root, path), wrote));
}

function withoutEmpty(text: string): string {
  let rest = text;
  const isEmpty = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0;
  if (isEmpty(objectIn(rest)?.env)) rest = withValue(rest, ['env'], undefined);
  return isEmpty(objectIn(rest)) ? '' : rest;
}
