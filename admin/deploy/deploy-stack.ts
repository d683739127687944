import { randomUUID } from 'node:crypto';
import type { StackId } from '../../infra/outputs.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { Change, ChangeSet, CloudFormation, StackState } from '../aws/cloudformation-types.ts';
import type { AdminEdges } from '../edges.ts';
import type { Consent } from '../terminal/confirm.ts';
import { paragraph } from '../terminal/text.ts';
import { discardChangeSet, makeChangeSet } from './change-set.ts';
import { allCreated, type Versions } from './changes.ts';
import { followStack } from './follow-operation.ts';
import { makeReady, type Ready } from './prepare-stack.ts';
import { agree, showChanges } from './show-changes.ts';
import { stackFailed } from './stack-failure.ts';
import {
  capabilitiesOf,
  type KnownOutputs,
  resolveParameters,
  type StackPlan,
  templateBody,
} from './stack-plan.ts';
import type { Place } from './template-values.ts';

/** What became of a stack; the form that `ccwb deploy --json` prints. */
export type DeployedStack = {
  readonly stack: StackId;
  readonly name: string;
  /** `planned`: a dry run. */
  readonly result: 'created' | 'updated' | 'unchanged' | 'planned';
  readonly changes: readonly Change[];
  readonly outputs: Readonly<Record<string, string>>;
};

export type DeployOptions = Consent & {
  readonly dryRun: boolean;
  /** The role with which CloudFormation makes the resources; undefined: that of the stack, else the caller's own. */
  readonly roleArn?: string | undefined;
  /** Outputs of the stack whose values are in config.json files. */
  readonly configOutputs: readonly string[];
};

/** Everything a deployment of one stack works with. */
export type Deployment = {
  readonly cloud: CloudFormation;
  readonly edges: AdminEdges;
  readonly place: Place;
  readonly options: DeployOptions;
};

const FINISHED = new Set(['CREATE_COMPLETE', 'UPDATE_COMPLETE']);

/**
 * Brings one stack to what the plan says: shows the changes, asks, makes them, and shows how that goes.
 *
 * @throws CcwbError ERR_STACK_FAILED with the first resource that failed; ERR_STACK_STATE, ERR_REPLACEMENT,
 *   ERR_DECLINED, ERR_STACK_PENDING.
 */
export async function deployStack(
  plan: StackPlan,
  known: KnownOutputs,
  deployment: Deployment,
): Promise<DeployedStack> {
  const { cloud, edges, options } = deployment;
  const template = templateBody(plan);
  const ready = await makeReady(plan.name, deployment);
  const versions: Versions = {
    old: ready.kind === 'UPDATE' ? await cloud.readTemplate(plan.name) : undefined,
    next: plan.template,
    place: deployment.place,
    configOutputs: options.configOutputs,
  };
  const parameters = resolveParameters(plan, known);
  if ('missing' in parameters || ready.mustBeDeleted)
    return planOnly(plan, parameters, ready, versions, edges);

  // An empty stack is made with the change set of a new one, and goes with it.
  const created = ready.stack === undefined ? plan.name : undefined;
  const changeSet = await makeChangeSet(
    cloud,
    {
      stackName: plan.name,
      name: `ccwb-${randomUUID()}`,
      kind: ready.kind,
      template,
      parameters: parameters.values,
      capabilities: capabilitiesOf(plan.template),
      roleArn: options.roleArn,
    },
    created,
    edges,
  );
  if (changeSet === undefined) {
    edges.writeError(`${plan.name}: no changes\n`);
    return report(plan, 'unchanged', [], ready.stack);
  }
  const { changes } = changeSet;
  let target: Target;
  try {
    showChanges(plan.name, ready, changes, versions, edges);
    if (!options.dryRun) await agree(plan.name, ready.kind, changes, versions, deployment);
    target = await targetOf(plan.name, cloud);
  } catch (error) {
    await discardChangeSet(cloud, changeSet.id, created, edges);
    throw error;
  }
  if (options.dryRun) {
    await discardChangeSet(cloud, changeSet.id, created, edges);
    return report(plan, 'planned', changes, ready.stack);
  }
  const stack = await execute(changeSet, target, ready, deployment);
  return report(plan, ready.kind === 'CREATE' ? 'created' : 'updated', changes, stack);
}

/** The stack that is to be changed, and its last event until then. */
type Target = { readonly id: string; readonly name: string; readonly mark: string | undefined };

async function targetOf(name: string, cloud: CloudFormation): Promise<Target> {
  const id = (await cloud.describeStack(name))?.id ?? name;
  return { id, name, mark: await cloud.lastEventId(id) };
}

async function execute(
  changeSet: ChangeSet,
  target: Target,
  { kind, stack: there }: Ready,
  { cloud, edges }: Deployment,
): Promise<StackState> {
  const created = there === undefined ? target.name : undefined;
  try {
    await cloud.executeChangeSet(changeSet.id);
  } catch (error) {
    if (!(error instanceof CcwbError) || !error.retryable) {
      await discardChangeSet(cloud, changeSet.id, created, edges);
      throw error;
    }
    throw new CcwbError(
      error.code,
      `${error.message}; whether AWS has begun with ${target.name} is not known`,
      'run the same command again: it follows what was begun, or begins it',
      { cause: error },
    );
  }
  const { stack, failure } = await followStack(cloud, target, target.mark, edges);
  if (stack && FINISHED.has(stack.status)) return stack;
  throw stackFailed(target.name, kind === 'CREATE' ? 'created' : 'updated', stack, failure);
}

/** A look at what CloudFormation cannot be asked for before something else is done. */
function planOnly(
  plan: StackPlan,
  parameters: ReturnType<typeof resolveParameters>,
  ready: Ready,
  versions: Versions,
  edges: AdminEdges,
): DeployedStack {
  const changes = allCreated(plan.template);
  if ('missing' in parameters) {
    const reason = `${plan.name} needs ${parameters.missing} of the stack ${parameters.stack}, which is not deployed`;
    if (!ready.dryRun) {
      throw new CcwbError(
        'ERR_STACK_STATE',
        reason,
        `run ccwb deploy ${parameters.stack} first, or ccwb deploy for all`,
      );
    }
    edges.writeError(paragraph(`${reason}: what follows is its template, not a change set`, edges.columns));
  }
  showChanges(plan.name, ready, changes, versions, edges);
  return report(plan, 'planned', changes, ready.stack);
}

function report(
  { id, name }: StackPlan,
  result: DeployedStack['result'],
  changes: readonly Change[],
  stack: StackState | undefined,
): DeployedStack {
  return { stack: id, name, result, changes, outputs: stack?.outputs ?? {} };
}
