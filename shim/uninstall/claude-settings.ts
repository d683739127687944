import { join } from 'node:path';
import { applyEdits, type JSONPath, modify, type ParseError, parse } from 'jsonc-parser';
import { isObject } from '../../protocol/profile-reader.ts';
import { programOf } from '../aws-files.ts';
import { claudeSettingsPath } from '../doctor/claude-checks.ts';
import type { Program } from '../program.ts';
import { shortPath } from '../view.ts';
import { readForEdit, writeEdited } from './edit-file.ts';
import type { Plan } from './step.ts';

/** Settings that an installer makes and a user may have made too: told, not removed. */
const MAYBE_OURS =
  /^(CLAUDE_CODE_USE_BEDROCK|CLAUDE_CODE_ENABLE_TELEMETRY|AWS_REGION|OTEL_\w+|ANTHROPIC_\w*MODEL)$/;

/** The settings of Claude Code that lead to this installation: its programs and its profiles. */
export function claudeSettings(program: Program, profiles: readonly string[]): Plan {
  const path = claudeSettingsPath(program);
  const where = shortPath(path, program.env.HOME);
  const file = readForEdit(path);
  if (!file) return { steps: [], left: [] };
  if ('problem' in file) return { steps: [], left: [`${where}: not looked at, ${file.problem}`] };
  const found = ownSettings(file.text, program.installation, profiles);
  if (!found) return { steps: [], left: [`${where}: not looked at, it is no JSON object`] };
  if (found.ours.length === 0) return { steps: [], left: [] };
  const names = found.ours.map((each) => each.join('.')).join(', ');
  const remove = async (): Promise<string[]> => {
    const now = readForEdit(path);
    if (!now) return [];
    const settings = 'text' in now ? ownSettings(now.text, program.installation, profiles) : undefined;
    if (!('text' in now) || !settings) return [`${where}: changed meanwhile; remove ${names} by hand`];
    writeEdited(path, withoutSettings(now.text, settings.ours));
    return [];
  };
  const maybe = found.maybe.map((name) => `env.${name}`).join(', ');
  return {
    steps: [{ text: `${names} in ${where}`, remove }],
    left: maybe === '' ? [] : [`${where}: ${maybe} may be your own`],
  };
}

/** Undefined when the text is no JSON object. */
export function ownSettings(
  text: string,
  installation: string,
  profiles: readonly string[],
): { ours: JSONPath[]; maybe: string[] } | undefined {
  const errors: ParseError[] = [];
  const root: unknown = parse(text.replace(/^\ufeff/, ''), errors);
  if (errors.length > 0 || !isObject(root)) return undefined;
  const env = isObject(root.env) ? root.env : {};
  const leadsHere = (command: unknown): boolean =>
    typeof command === 'string' && programOf(command).startsWith(join(installation, '/'));
  const ours: JSONPath[] = [
    ...['awsAuthRefresh', 'otelHeadersHelper'].filter((name) => leadsHere(root[name])).map((name) => [name]),
    ...(env.CCWB_SIGN_IN === undefined ? [] : [['env', 'CCWB_SIGN_IN']]),
    ...(profiles.some((name) => name === env.AWS_PROFILE) ? [['env', 'AWS_PROFILE']] : []),
  ];
  return { ours, maybe: Object.keys(env).filter((name) => MAYBE_OURS.test(name)) };
}

/** The text without these settings, and without what then has nothing in it; empty when nothing is left. */
export function withoutSettings(text: string, settings: readonly JSONPath[]): string {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  let rest = text.slice(mark.length);
  for (const path of settings) rest = without(rest, path);
  const root = parse(rest) as Record<string, unknown>;
  if (isObject(root.env) && Object.keys(root.env).length === 0) rest = without(rest, ['env']);
  return Object.keys(parse(rest) as object).length === 0 ? '' : mark + rest;
}

function without(text: string, path: JSONPath): string {
  return applyEdits(text, modify(text, path, undefined, {}));
}
