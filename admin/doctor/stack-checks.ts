import { type Finding, ok, problem, skipped, warning } from '../../common/findings.ts';
import { STACKS } from '../../infra/outputs.ts';
import { asCcwbError } from '../../protocol/errors.ts';
import { isUnderWay } from '../deploy/operation-end.ts';
import { isTrouble } from '../deploy/progress.ts';
import { configFields } from '../deploy/write-config.ts';
import { listWords } from '../terminal/text.ts';
import type { AdminCheck, AdminDoctorContext } from './check.ts';

/** State after a failed update: the stack works as it did before. */
const UNDONE = 'UPDATE_ROLLBACK_COMPLETE';

/** Checks the state of every existing stack. */
export const stacks: AdminCheck = async (looking) => {
  const found = await stacksOf(looking);
  if (!(found instanceof Map)) return found as Finding[];
  if (found.size === 0) return [warning('none is there', 'run ccwb deploy')];
  const findings = [...found].flatMap(([stack, { status }]): Finding[] => {
    if (status === UNDONE) {
      return [
        warning(`the last update of ${stack} failed; it is as it was before`, 'see why with ccwb status'),
      ];
    }
    if (isTrouble(status))
      return [problem(`${stack} is ${status}`, 'see why with ccwb status, then run ccwb deploy')];
    if (isUnderWay(status)) return [warning(`${stack} is ${status}`, 'wait, and look with ccwb status')];
    if (status === 'REVIEW_IN_PROGRESS')
      return [warning(`${stack} is empty: a deployment was broken off`, 'run ccwb deploy')];
    return [];
  });
  return findings.length > 0 ? findings : [ok(`${listWords([...found.keys()])} as deployed`)];
};

/** Compares the outputs in the profile, or in config.json, with those of the stacks. */
export const outputs: AdminCheck = async (looking) => {
  const found = await stacksOf(looking);
  if (!(found instanceof Map)) return [skipped('without the stacks')];
  const { admin, profile, path } = looking.chosen();
  const fix = admin ? 'run ccwb deploy, which keeps what they give' : 'run ccwb deploy --write-config';
  // A stack that failed or is being changed may have no outputs for now.
  const settled = STACKS.filter((stack) => {
    const status = found.get(stack)?.status;
    return status === undefined || status === UNDONE || (status.endsWith('_COMPLETE') && !isTrouble(status));
  });
  const findings = settled.flatMap((stack): Finding[] => {
    const given = found.get(stack)?.outputs ?? {};
    const kept = admin ? admin.outputs[stack] : stack === 'auth' ? ofConfig() : undefined;
    if (kept === undefined) {
      const missing = admin !== undefined && found.has(stack) && Object.keys(given).length > 0;
      return missing ? [warning(`${path} has nothing of the ${stack} stack`, fix)] : [];
    }
    if (!found.has(stack))
      return [warning(`${path} has outputs of the ${stack} stack, which is not there`, fix)];
    const names = Object.keys(admin ? { ...kept, ...given } : kept).filter(
      (name) => kept[name] !== given[name],
    );
    return names.map((name) =>
      warning(
        `${name} is ${kept[name] ?? 'nothing'} in ${path}, and ${given[name] ?? 'nothing'} in AWS`,
        fix,
      ),
    );
  });
  return findings.length > 0 ? findings : [ok(found.size === 0 ? 'none yet' : `${path} has them`)];

  /** Returns the outputs of the auth stack under the names of config.json. */
  function ofConfig(): Record<string, string | undefined> {
    const { federation } = profile;
    const value = federation.type === 'direct' ? federation.roleArn : federation.identityPoolId;
    return Object.fromEntries(Object.values(configFields(profile)).map((output) => [output, value]));
  }
};

async function stacksOf({ chosen, aws, stacks: read }: AdminDoctorContext) {
  try {
    chosen();
    await aws();
  } catch {
    return [skipped('without a profile and AWS credentials')];
  }
  try {
    return await read();
  } catch (thrown) {
    const { message, fix } = asCcwbError(thrown);
    return [problem(message, fix)];
  }
}
