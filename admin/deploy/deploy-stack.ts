import { randomUUID } from 'node:crypto';
import { CcwbError } from '../../protocol/errors.ts';
import type { ChangeSet, ResourceChange, StackEvent, StackState } from '../aws/cloudformation-types.ts';
import type { AdminEdges } from '../edges.ts';
import { paragraph } from '../terminal/text.ts';
import { discardChangeSet, prepareChangeSet } from './change-set.ts';
import { allCreated, type TemplateVersions } from './changes/describe-changes.ts';
import { confirmChanges, showChanges } from './changes/show-changes.ts';
import type { DeployedStack, Deployment, PreparedStack } from './deployment.ts';
import { followStack } from './follow-operation.ts';
import { prepareStack } from './prepare-stack.ts';
import { stackFailure } from './stack-failure.ts';
import {
  capabilitiesOf,
  type KnownOutputs,
  resolveParameters,
  type StackPlan,
  templateBody,
} from './stack-plan.ts';

const FINISHED = new Set(['CREATE_COMPLETE', 'UPDATE_COMPLETE']);

/**
 * Deploys one stack: shows the changes, asks, executes them and follows CloudFormation.
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
  const prepared = await prepareStack(plan.name, deployment);
  const versions: TemplateVersions = {
    old: prepared.kind === 'UPDATE' ? await cloud.readTemplate(plan.name) : undefined,
    next: plan.template,
    target: deployment.target,
    configOutputs: options.configOutputs,
  };
  const parameters = resolveParameters(plan, known);
  if ('missing' in parameters || prepared.mustBeDeleted)
    return planWithoutChangeSet(plan, parameters, prepared, versions, edges);

  // A change set for a new stack creates an empty stack, which is deleted together with the change set.
  const created = prepared.stack === undefined;
  const changeSet = await prepareChangeSet(
    cloud,
    {
      stackName: plan.name,
      name: `ccwb-${randomUUID()}`,
      kind: prepared.kind,
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
    return report(plan, 'unchanged', [], prepared.stack);
  }
  const { changes } = changeSet;
  let target: StackMark;
  try {
    showChanges(plan.name, prepared, changes, versions, edges);
    if (!options.dryRun) await confirmChanges(plan.name, prepared.kind, changes, versions, deployment);
    target = { id: changeSet.stackId, name: plan.name, mark: await cloud.lastEvent(changeSet.stackId) };
  } catch (error) {
    await discardChangeSet(cloud, changeSet, created, edges);
    throw error;
  }
  if (options.dryRun) {
    await discardChangeSet(cloud, changeSet, created, edges);
    return report(plan, 'planned', changes, prepared.stack);
  }
  const stack = await execute(changeSet, target, prepared, deployment);
  return report(plan, prepared.kind === 'CREATE' ? 'created' : 'updated', changes, stack);
}

/** The stack to change, and its last event before the change. */
type StackMark = { readonly id: string; readonly name: string; readonly mark: StackEvent | undefined };

async function execute(
  changeSet: ChangeSet,
  target: StackMark,
  { kind, stack: there }: PreparedStack,
  { cloud, edges }: Deployment,
): Promise<StackState> {
  const created = there === undefined;
  const token = randomUUID();
  try {
    await cloud.executeChangeSet(changeSet.id, token);
  } catch (error) {
    if (!(error instanceof CcwbError) || !error.retryable) {
      await discardChangeSet(cloud, changeSet, created, edges);
      throw error;
    }
    throw new CcwbError(
      error.code,
      `${error.message}; whether AWS has begun with ${target.name} is not known`,
      'run the same command again: it follows what was begun, or begins it',
      { cause: error },
    );
  }
  const { stack, failure } = await followStack(
    cloud,
    target,
    { token, mark: target.mark, before: there },
    edges,
  );
  if (stack && FINISHED.has(stack.status)) return stack;
  throw stackFailure(target.name, kind === 'CREATE' ? 'created' : 'updated', stack, failure);
}

/** Reports the plan from the template alone, where CloudFormation cannot make a change set yet. */
function planWithoutChangeSet(
  plan: StackPlan,
  parameters: ReturnType<typeof resolveParameters>,
  prepared: PreparedStack,
  versions: TemplateVersions,
  edges: AdminEdges,
): DeployedStack {
  const changes = allCreated(plan.template);
  if ('missing' in parameters) {
    const reason = `${plan.name} needs ${parameters.missing} of the stack ${parameters.stack}, which is not deployed`;
    if (!prepared.dryRun) {
      throw new CcwbError(
        'ERR_STACK_STATE',
        reason,
        `run ccwb deploy ${parameters.stack} first, or ccwb deploy for all`,
      );
    }
    edges.writeError(paragraph(`${reason}: what follows is its template, not a change set`, edges.columns));
  }
  showChanges(plan.name, prepared, changes, versions, edges);
  return report(plan, 'planned', changes, prepared.stack);
}

function report(
  { id, name }: StackPlan,
  result: DeployedStack['result'],
  changes: readonly ResourceChange[],
  stack: StackState | undefined,
): DeployedStack {
  return { stack: id, name, result, changes, outputs: stack?.outputs ?? {} };
}
