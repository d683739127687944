import { STACKS, type StackId, stackName } from '../../infra/outputs.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { CloudFormation, StackState } from '../aws/cloudformation-types.ts';
import { connectToAws } from '../aws/connection.ts';
import type { AdminEdges } from '../edges.ts';
import type { AdminProfile } from '../profiles/admin-profile.ts';
import { type ProfileFlags, readChosenProfile } from '../profiles/chosen-profile.ts';
import { listWords, paragraph } from '../terminal/text.ts';
import { firstFailure, isUnderWay, lastOperation } from './operation-end.ts';
import { isTrouble } from './progress.ts';

export type StatusFlags = ProfileFlags & { drift?: true; json?: true };

/** The state of a stack, in the form that `ccwb status --json` prints. */
export type StackStatus = {
  readonly stack: StackId;
  readonly name: string;
  /** CloudFormation's word; `NOT_DEPLOYED` when there is no such stack. */
  readonly status: string;
  /** CloudFormation's reason for the status. */
  readonly problem?: string;
  /** ISO 8601. */
  readonly changedAt?: string;
  /** The last result of drift detection: NOT_CHECKED, IN_SYNC, DRIFTED, UNKNOWN. */
  readonly drift?: string;
  readonly outputs: Readonly<Record<string, string>>;
};

/** Limit for drift detection, in milliseconds: it takes minutes with many resources. */
const DRIFT_LIMIT_MS = 600_000;
const DRIFT_WAIT_MS = 3_000;

/** Runs `ccwb status`. */
export async function status(flags: StatusFlags, edges: AdminEdges): Promise<void> {
  const chosen = readChosenProfile(flags, edges);
  const { profile, admin } = chosen;
  const { cloud, identity, target } = await connectToAws(chosen, edges);
  const stacks: StackStatus[] = [];
  for (const stack of STACKS) {
    const name = stackName(profile.name, stack);
    const state = await cloud.describeStack(name);
    const drift = state && flags.drift ? await findDrift(cloud, name, edges) : state?.drift;
    stacks.push(await describe(stack, name, state, drift, cloud));
  }
  const { account, arn: caller } = identity;
  const outdated = admin ? stacks.filter((one) => differs(one, admin)).map(({ stack }) => stack) : [];
  const report = { profile: profile.name, account, region: target.region, caller, stacks, outdated };
  if (flags.json) edges.writeOut(`${JSON.stringify(report, undefined, 2)}\n`);
  else for (const one of stacks) edges.writeOut(lines(one, edges));
  if (outdated.length > 0) {
    const text = `The profile has other outputs of ${listWords(outdated)} than the stacks: the next ccwb deploy, or destroy, puts that right.`;
    edges.writeError(paragraph(`\n${text}`, edges.columns));
  }
}

/** True when the outputs of a stack differ from the profile: it was deployed, or destroyed, elsewhere. */
function differs({ stack, status: state, outputs }: StackStatus, admin: AdminProfile): boolean {
  const entries = (given: Readonly<Record<string, string>>): string =>
    JSON.stringify(Object.entries(given).sort());
  return !isUnderWay(state) && entries(outputs) !== entries(admin.outputs[stack] ?? {});
}

async function describe(
  stack: StackId,
  name: string,
  state: StackState | undefined,
  drift: string | undefined,
  cloud: CloudFormation,
): Promise<StackStatus> {
  if (state === undefined) return { stack, name, status: 'NOT_DEPLOYED', outputs: {} };
  const problem = isTrouble(state.status) ? await problemOf(state, cloud) : undefined;
  return {
    stack,
    name,
    status: state.status,
    ...(problem === undefined ? {} : { problem }),
    ...(state.changedAt === undefined ? {} : { changedAt: new Date(state.changedAt).toISOString() }),
    ...(drift === undefined ? {} : { drift }),
    outputs: state.outputs,
  };
}

async function problemOf(state: StackState, cloud: CloudFormation): Promise<string | undefined> {
  const failure = firstFailure(lastOperation(await cloud.eventsAfter(state.id, undefined)));
  if (failure === undefined) return state.reason;
  return `${failure.logicalId} (${failure.type}): ${failure.reason ?? failure.status}`;
}

/** Returns CloudFormation's StackDriftStatus. @throws CcwbError ERR_STACK_PENDING when that takes too long. */
async function findDrift(cloud: CloudFormation, name: string, edges: AdminEdges): Promise<string> {
  const id = await cloud.detectDrift(name);
  const since = edges.now();
  for (;;) {
    const result = await cloud.driftResult(id);
    if (result) return result.status;
    if (edges.now() - since > DRIFT_LIMIT_MS) {
      throw new CcwbError(
        'ERR_STACK_PENDING',
        `CloudFormation still looks for drift in ${name}`,
        'run ccwb status later: it shows what was found',
      );
    }
    await edges.sleep(DRIFT_WAIT_MS * (0.5 + edges.random() / 2));
    if (edges.interrupted.aborted) {
      throw new CcwbError(
        'ERR_INTERRUPTED',
        `interrupted while CloudFormation looks for drift in ${name}`,
        'run it again',
      );
    }
  }
}

const DRIFT_WORDS: Readonly<Record<string, string>> = {
  NOT_CHECKED: 'not looked for',
  IN_SYNC: 'none when last looked for',
  DRIFTED: 'CHANGED by other means than deployment',
};

function lines({ name, status, problem, changedAt, drift, outputs }: StackStatus, edges: AdminEdges): string {
  const facts: [string, string][] = [];
  if (problem !== undefined) facts.push(['problem', problem]);
  if (changedAt !== undefined) facts.push(['changed', ago(changedAt, edges.now())]);
  if (drift !== undefined) facts.push(['drift', DRIFT_WORDS[drift] ?? drift.toLowerCase()]);
  facts.push(...Object.entries(outputs));
  const width = Math.max(0, ...facts.map(([key]) => key.length));
  const rows = facts.map(([key, value]) => paragraph(value, edges.columns, `  ${key.padEnd(width)}  `));
  return `${name}  ${status}\n${rows.join('')}`;
}

function ago(at: string, now: number): string {
  const minutes = Math.max(0, Math.round((now - Date.parse(at)) / 60_000));
  const when = at.replace('T', ' ').replace(/:\d\d\.\d+Z$/, ' UTC');
  if (minutes < 60) return `${when} (${minutes} min ago)`;
  return minutes < 2_880
    ? `${when} (${Math.round(minutes / 60)} h ago)`
    : `${when} (${Math.round(minutes / 1_440)} days ago)`;
}
