/** Answers of an interrupted wizard: `~/.ccwb/drafts/NAME.json`, for this user only. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readFileIfExists, replaceFile } from '../../common/atomic-file.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import type { Environment } from '../edges.ts';
import { ccwbHome } from '../profiles/profile-store.ts';
import type { GivenAnswer, GivenAnswers } from './given.ts';
import { ANSWER_NAMES, ANSWERS, type AnswerName, type Answers } from './names.ts';
import { parseValue } from './values.ts';

export type Draft = {
  readonly answers: GivenAnswers;
  /** Time of the last answer, in milliseconds since 1970. */
  readonly keptAt: number;
};

export function draftPath(name: string, env: Environment): string {
  return join(ccwbHome(env), 'drafts', `${name}.json`);
}

/** @throws CcwbError ERR_CONFIG_INVALID where nothing can be written: the profile could not be saved either. */
export function keepDraft(name: string, answers: Answers, env: Environment, nowMs: number): void {
  const path = draftPath(name, env);
  try {
    replaceFile(path, `${JSON.stringify({ keptAt: nowMs, answers }, undefined, 2)}\n`, 0o600);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    const fix = `make ${ccwbHome(env)} yours and writable, or set CCWB_HOME`;
    throw new CcwbError('ERR_CONFIG_INVALID', `${path} cannot be written (${code})`, fix, { cause });
  }
}

/** Returns the kept answers; undefined when there are none, or the file is broken. */
export function readDraft(name: string, env: Environment): Draft | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileIfExists(draftPath(name, env)) ?? '');
  } catch {
    return undefined;
  }
  if (!isObject(value) || !isObject(value.answers)) return undefined;
  const answers = new Map<AnswerName, GivenAnswer>();
  for (const name of ANSWER_NAMES) {
    const written = value.answers[name];
    if (written === undefined) continue;
    // Secrets stand there themselves, as they will in the profile.
    const isSecret = ANSWERS[name].kind === 'secret' && typeof written === 'string';
    const parsed = isSecret ? { value: written } : parseValue(name, written);
    if ('value' in parsed) answers.set(name, { value: parsed.value, written, kept: true });
  }
  const keptAt = typeof value.keptAt === 'number' ? value.keptAt : 0;
  return answers.size === 0 ? undefined : { answers, keptAt };
}

export function forgetDraft(name: string, env: Environment): void {
  rmSync(draftPath(name, env), { force: true });
}
